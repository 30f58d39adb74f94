//! `self` in a body that runs several times.

use std::{
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use ddd_core::{retry, testing::isolated, timeout};

use super::support::{Error, is_send};

#[derive(Debug, Default)]
struct Counter {
    calls: AtomicU32,
    changed: u32,
}

impl Counter {
    /// Fails but for every third call.
    fn call(&self) -> Result<u32, Error> {
        let calls = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        if calls.is_multiple_of(3) { Ok(calls) } else { Err(Error::Other("not yet")) }
    }

    fn consume(self: Arc<Self>) -> Result<u32, Error> {
        self.call()
    }

    #[retry(3, delay = "0s", name = "arc_given")]
    async fn arc_given(self: Arc<Self>) -> Result<u32, Error> {
        let this = self;
        tokio::spawn(async move { this.call() }).await.unwrap()
    }

    #[retry(3, delay = "0s", name = "arc_consumed")]
    async fn arc_consumed(self: Arc<Self>, text: String) -> Result<u32, Error> {
        assert_eq!(text, "text");
        let seen = format!("{self:?} {:?}", self);
        assert!(seen.contains("calls"), "{seen}");
        self.consume()
    }

    #[retry(3, delay = "0s", name = "arc_in_time")]
    #[timeout("1h", name = "arc_in_time")]
    async fn arc_in_time(self: Arc<Self>) -> Result<u32, Error> {
        struct Other(u32);
        impl Other {
            fn value(self) -> u32 {
                self.0
            }
        }
        assert_eq!(Other(1).value(), 1);
        let call = move || self.call();
        call()
    }

    #[retry(3, delay = "0s", name = "rc_given")]
    async fn rc_given(self: Rc<Self>) -> Result<u32, Error> {
        let this = self;
        this.call()
    }

    #[retry(3, delay = "0s", name = "exclusive_moved")]
    async fn exclusive_moved(&mut self) -> Result<u32, Error> {
        let this = self;
        this.changed += 1;
        Self::change(this);
        this.call()
    }

    #[retry(3, delay = "0s", name = "exclusive_passed")]
    async fn exclusive_passed(&mut self) -> Result<u32, Error> {
        Self::change(self);
        match self {
            Self { changed: 0, .. } => Ok(0),
            other => other.call(),
        }
    }

    /// Not `Clone`, and not given away: lent.
    #[retry(3, delay = "0s", name = "owned_lent")]
    async fn owned_lent(mut self) -> Result<u32, Error> {
        self.changed += 1;
        Self::change(&mut self);
        self.call()
    }

    fn change(&mut self) {
        self.changed += 1;
    }
}

#[derive(Clone)]
struct Request {
    counter: Arc<Counter>,
    parts: Vec<u32>,
}

impl Request {
    #[retry(3, delay = "0s", name = "owned_given")]
    async fn owned_given(mut self, more: u32) -> Result<(u32, Vec<u32>), Error> {
        self.parts.push(more);
        let Self { counter, parts } = self;
        Ok((counter.call()?, parts))
    }
}

#[async_trait]
trait Sends {
    async fn send(self: Arc<Self>) -> Result<u32, Error>;
}

#[async_trait]
impl Sends for Counter {
    #[retry(3, delay = "0s", name = "sends")]
    async fn send(self: Arc<Self>) -> Result<u32, Error> {
        let this = self;
        this.consume()
    }
}

#[tokio::test]
async fn each_attempt_has_its_own() {
    isolated(async {
        let counter = Arc::new(Counter::default());
        assert_eq!(is_send(counter.clone().arc_given()).await, Ok(3));
        assert_eq!(is_send(counter.clone().arc_consumed("text".to_owned())).await, Ok(6));
        assert_eq!(is_send(counter.clone().arc_in_time()).await, Ok(9));
        assert_eq!(is_send(counter.clone().send()).await, Ok(12));
        assert_eq!(Rc::new(Counter::default()).rc_given().await, Ok(3));
        let request = Request { counter, parts: vec![1] };
        assert_eq!(is_send(request.owned_given(2)).await, Ok((15, vec![1, 2])), "what failed attempts changed is gone");
    })
    .await;
}

#[tokio::test]
async fn what_is_only_lent_stays_one() {
    isolated(async {
        let mut counter = Counter::default();
        assert_eq!(counter.exclusive_moved().await, Ok(3));
        assert_eq!(counter.changed, 6, "two for each attempt");
        assert_eq!(counter.exclusive_passed().await, Ok(6));
        assert_eq!(counter.changed, 9);
        assert_eq!(Counter::default().owned_lent().await, Ok(3));
    })
    .await;
}
