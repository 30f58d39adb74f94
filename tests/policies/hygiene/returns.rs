//! What a function returns, and how it leaves.

use std::{error, fmt, io, sync::Arc};

use ddd_core::{Refused, bulkhead, cached, circuit_breaker, retry, timeout};

use super::support::{Error, is_send};

type Answer<T> = Result<T, Error>;
type Maybe = Option<u32>;

#[retry(2, delay = "1ms")]
#[bulkhead(2)]
async fn alias(id: u32) -> Answer<u32> {
    let id = if id == 0 { Err("zero")? } else { id };
    if id == 1 {
        return Ok(100);
    }
    Ok(id)
}

#[cached]
async fn optional(id: u32) -> Maybe {
    let it = id.checked_sub(1)?;
    Some(it)
}

#[retry(2, delay = "1ms", when = |value: &u32| *value == 0)]
async fn plain(id: u32) -> u32 {
    id
}

#[retry(2, delay = "1ms", when = Option::is_none)]
async fn optional_again(id: u32) -> Option<u32> {
    Some(id)
}

#[retry(2, delay = "1ms", when = |error| matches!(error, Error::Other(_)))]
#[circuit_breaker(when = |error| matches!(error, Error::Other("bad")))]
async fn when(id: u32) -> Answer<u32> {
    Ok(id)
}

#[timeout("1s")]
async fn dynamic(id: u32) -> Result<Box<dyn fmt::Display + Send>, Box<dyn error::Error + Send + Sync>> {
    if id == 0 {
        return Err("zero".into());
    }
    if id == 1 {
        return Ok(Box::new("one"));
    }
    io::Result::Ok(())?;
    Ok(Box::new(id))
}

#[retry(2, delay = "1ms", when = |_| false)]
async fn dynamic_alone(id: u32) -> Box<dyn fmt::Display + Send> {
    if id == 1 {
        return Box::new("one");
    }
    Box::new(id)
}

#[timeout("1s")]
#[retry(2, delay = "1ms")]
async fn hidden(id: u32) -> Result<impl fmt::Display + fmt::Debug, Error> {
    if id == 0 {
        return Err(Error::Other("zero"));
    }
    Ok(id)
}

#[cached]
async fn unit(id: u32) {
    let _ = id;
}

#[retry(2, delay = "1ms")]
async fn collected(ids: Vec<u32>) -> Result<Vec<u32>, Error> {
    ids.into_iter().map(|it| if it == 0 { Err(Error::Other("zero")) } else { Ok(it) }).collect()
}

#[retry(2, delay = "1ms")]
#[timeout("1s")]
async fn lent<'a>(text: &'a str, other: &str) -> Result<&'a str, Error> {
    Ok(text.strip_prefix(other).unwrap_or(text))
}

#[bulkhead(2)]
async fn refused_itself() -> Result<u8, Refused> {
    Ok(1)
}

#[cached]
async fn shared_error(id: u32) -> Result<u32, Arc<io::Error>> {
    if id == 0 { Err(io::Error::other("zero").into()) } else { Ok(id) }
}

#[cached]
#[retry(2, delay = "1ms")]
async fn error_of_its_own(id: u32) -> io::Result<u32> {
    if id == 0 { Err(io::Error::other("zero")) } else { Ok(id) }
}

#[cached(store_if = |value: &Answer<u32>| value == &Ok(1), weigh = |_: &Answer<u32>| 2, negative_ttl = "1s", tags = [id, format!("x{id}")])]
async fn rules(id: u32) -> Answer<u32> {
    Ok(id)
}

struct Builder(u32);

impl Builder {
    #[timeout("1s")]
    #[retry(2, delay = "1ms")]
    async fn own(&self) -> Result<Self, Error> {
        Ok(Self(self.0))
    }

    #[timeout("1s")]
    async fn chain(&mut self) -> Result<&mut Self, Error> {
        self.0 += 1;
        Ok(self)
    }
}

#[retry(2, delay = "1ms")]
async fn macros_and_items(list: Vec<u32>) -> Result<u32, Error> {
    #![allow(clippy::items_after_statements, reason = "an attribute inside of the body")]
    macro_rules! first {
        ($list:expr) => {
            *$list.first().ok_or(Error::Other("empty"))?
        };
    }
    let __out = first!(list);
    const ONE: u32 = 1;
    fn helper(it: u32) -> u32 {
        it + ONE
    }
    let (__attempts, __judge) = (1, 2);
    let mut turns = 0;
    'outer: while turns < 10 {
        loop {
            turns += 1;
            if turns > 1 {
                continue 'outer;
            }
        }
    }
    Ok(helper(__out) + __attempts + __judge)
}

#[tokio::test]
async fn each_value_comes_back() {
    assert_eq!(is_send(alias(0)).await, Err(Error::Other("zero")));
    assert_eq!(is_send(alias(1)).await, Ok(100));
    assert_eq!((optional(0).await, optional(2).await), (None, Some(1)));
    assert_eq!(plain(0).await, 0);
    assert_eq!(optional_again(1).await, Some(1));
    assert_eq!(when(1).await, Ok(1));
    assert_eq!(is_send(dynamic(1)).await.unwrap().to_string(), "one");
    assert_eq!(dynamic(0).await.err().unwrap().to_string(), "zero");
    assert_eq!(is_send(dynamic_alone(2)).await.to_string(), "2");
    assert_eq!(is_send(hidden(2)).await.unwrap().to_string(), "2");
    unit(1).await;
    assert_eq!(collected(vec![1, 2]).await, Ok(vec![1, 2]));
    assert_eq!(is_send(lent("abc", "a")).await, Ok("bc"));
    assert_eq!(refused_itself().await, Ok(1));
    assert_eq!(shared_error(1).await.unwrap(), 1);
    assert_eq!(error_of_its_own(1).await.unwrap(), 1);
    assert_eq!(rules(1).await, Ok(1));
    let mut builder = is_send(Builder(1).own()).await.unwrap();
    assert_eq!(is_send(builder.chain()).await.unwrap().0, 2);
    assert_eq!(is_send(macros_and_items(vec![1])).await, Ok(5));
}
