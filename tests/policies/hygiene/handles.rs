//! Handles: constants beside what they lead to.

use ddd_core::{cached, testing::isolated};

use super::support::Error;

#[cached("1m", handle = SQUARES: u64)]
async fn square(number: u64) -> u64 {
    number * number
}

#[cached("1m", handle = NAMES: (String, u32), tags = [name])]
async fn named(name: &str, id: u32) -> Result<String, Error> {
    if id == 0 { Err(Error::Other("zero")) } else { Ok(format!("{name}{id}")) }
}

#[cached("1m", handle = LENGTHS: String)]
fn length(text: &str) -> usize {
    text.len()
}

pub(super) struct Users {
    tenant: u32,
}

impl Users {
    #[cached("10m", key = (self.tenant, id), handle = Self::PROFILES: (u32, u64), store_if = |it: &Result<String, Error>| it.is_ok(), weigh = |_| 1)]
    pub(super) async fn profile(&self, id: u64) -> Result<String, Error> {
        Ok(format!("{}/{id}", self.tenant))
    }
}

#[tokio::test(start_paused = true)]
async fn a_handle_reaches_the_values_of_its_function() {
    isolated(async {
        assert_eq!(SQUARES.get(&3).await, None);
        assert_eq!(square(3).await, 9);
        assert_eq!(SQUARES.get(&3).await, Some(9));
        SQUARES.put(3, 10).await;
        assert_eq!(square(3).await, 10);
        SQUARES.invalidate(&3).await;
        assert_eq!(square(3).await, 9);

        assert_eq!(named("a", 1).await, Ok("a1".into()));
        assert_eq!(NAMES.get(&("a".into(), 1)).await, Some(Ok("a1".into())));
        NAMES.invalidate_tag("a").await;
        assert_eq!(NAMES.get(&("a".into(), 1)).await, None);

        assert_eq!(length("four"), 4);
        assert_eq!(LENGTHS.get(&"four".into()).await, Some(4));

        let users = Users { tenant: 1 };
        assert_eq!(users.profile(2).await, Ok("1/2".into()));
        assert_eq!(Users::PROFILES.get(&(1, 2)).await, Some(Ok("1/2".into())));
        assert_eq!(Users::PROFILES.get(&(2, 2)).await, None);
        Users::PROFILES.clear().await;
        assert_eq!(Users::PROFILES.get(&(1, 2)).await, None);
    })
    .await;
}

struct Repo<T>(T);

impl<T: 'static> Repo<T> {
    #[cached("1m", key = id, handle = Self::NAMES: u32, name = "handles.generic")]
    async fn type_name(&self, id: u32) -> String {
        let _ = &self.0;
        format!("{} {id}", std::any::type_name::<T>())
    }
}

#[tokio::test]
async fn a_handle_is_for_its_own_instance_alone() {
    isolated(async {
        assert_eq!((Repo(1u8).type_name(1).await, Repo(1u16).type_name(1).await), ("u8 1".into(), "u16 1".into()));
        Repo::<u8>::NAMES.put(1, "another".into()).await;
        assert_eq!((Repo(1u8).type_name(1).await, Repo(1u16).type_name(1).await), ("another".into(), "u16 1".into()));
        assert_eq!(Repo::<u16>::NAMES.get(&1).await, Some("u16 1".into()));
        assert_eq!(Repo::<u32>::NAMES.get(&1).await, None);
    })
    .await;
}
