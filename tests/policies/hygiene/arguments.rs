//! How a function takes its arguments.

use std::{collections::HashMap, fmt::Display, rc::Rc, sync::Arc};

use ddd_core::{bulkhead, cached, retry, timeout};

use super::support::{Error, is_send};

#[derive(Clone)]
struct Pair {
    left: u32,
    right: u32,
}

#[retry(3, delay = "1ms")]
#[timeout("1s")]
async fn patterns((a, mut b): (u32, u32), Pair { left, .. }: Pair, [c, ..]: [u32; 2], _: u8) -> Result<u32, Error> {
    b += 1;
    if b < 1 {
        Err("never")?;
    }
    Ok(a + b + left + c)
}

#[cached(key = (a, b))]
async fn lent_patterns(&a: &u32, (b, _): (u32, u8)) -> u32 {
    a + b
}

#[retry(3, delay = "1ms")]
async fn mutable(mut text: String, mut unused: Vec<u8>) -> Result<String, Error> {
    text.push('!');
    unused.clear();
    Ok(text)
}

#[cached]
async fn mutable_once(mut text: String) -> String {
    text.push('!');
    text
}

#[retry(3, delay = "1ms")]
async fn references(text: &str, list: &[u8], map: &mut HashMap<u8, u8>) -> Result<usize, Error> {
    map.insert(u8::try_from(map.len()).unwrap(), 1);
    if map.len() < 3 {
        return Err(Error::Other("again"));
    }
    Ok(text.len() + list.len() + map.len())
}

#[cached("1m")]
async fn references_as_key(text: &str, list: &[u8], number: &u64, id: u32, name: String) -> usize {
    text.len() + list.len() + usize::try_from(*number).unwrap() + usize::try_from(id).unwrap() + name.len()
}

#[cached("1m")]
async fn one_reference(text: &str) -> usize {
    text.len()
}

#[cached("1m")]
async fn one_number(number: u64) -> u64 {
    number
}

#[cached("1m")]
async fn nothing() -> u64 {
    1
}

#[cached(key = id)]
#[retry(2, delay = "1ms")]
#[timeout("1s")]
async fn hidden(
    id: u64,
    name: impl Display + Clone + Send + Sync,
    f: impl Fn() -> u32 + Clone + Send,
) -> Result<String, Error> {
    Ok(format!("{name} {}", f()))
}

#[cached(key = id)]
async fn lifetimes<'a, 'b: 'a>(id: u64, a: &'a str, b: &'b str) -> String {
    format!("{id}{a}{b}")
}

/// What no attempt uses need not be copied.
struct NotClone;

#[retry(2, delay = "1ms")]
async fn unused(_guard: NotClone, shared: Arc<NotClone>) -> Result<u32, Error> {
    drop(shared);
    Ok(1)
}

#[retry(2, delay = "1ms")]
async fn in_a_format_string(name: String, count: u32) -> Result<String, Error> {
    Ok(format!("{name:>5}{count}"))
}

#[bulkhead(2)]
#[timeout("1s")]
async fn not_send(value: Rc<u32>) -> Result<u32, Error> {
    Ok(*value)
}

#[cached(key = *value, detached = false)]
async fn not_send_driven(value: Rc<u32>) -> u32 {
    *value
}

/// Send and not Sync: nothing may hold a reference to it across an await.
#[retry(2, delay = "1ms")]
async fn send_only(value: std::cell::Cell<u32>) -> Result<u32, Error> {
    value.set(value.get() + 1);
    tokio::task::yield_now().await;
    Ok(value.get())
}

#[retry(2, delay = "1ms")]
async fn raw_names(r#type: String, r#match: u32) -> Result<String, Error> {
    Ok(format!("{type}{}", r#match))
}

#[tokio::test]
async fn each_argument_arrives() {
    assert_eq!(is_send(patterns((1, 2), Pair { left: 3, right: 4 }, [5, 6], 7)).await, Ok(12));
    assert_eq!(Pair { left: 3, right: 4 }.right, 4);
    assert_eq!(is_send(lent_patterns(&1, (2, 3))).await, 3);
    assert_eq!(is_send(mutable("a".into(), vec![])).await, Ok("a!".into()));
    assert_eq!(is_send(mutable_once("a".into())).await, "a!");
    let mut map = HashMap::new();
    assert_eq!(is_send(references("a", &[1], &mut map)).await, Ok(5));
    assert_eq!(is_send(references_as_key("a", &[1], &2, 3, "b".into())).await, 8);
    assert_eq!(is_send(one_reference("a")).await, 1);
    assert_eq!(is_send(one_number(2)).await, 2);
    assert_eq!(is_send(nothing()).await, 1);
    assert_eq!(is_send(hidden(1, "a", || 2)).await, Ok("a 2".into()));
    assert_eq!(is_send(lifetimes(1, "a", "b")).await, "1ab");
    assert_eq!(is_send(unused(NotClone, Arc::new(NotClone))).await, Ok(1));
    assert_eq!(is_send(in_a_format_string("a".into(), 1)).await, Ok("    a1".into()));
    assert_eq!(not_send(Rc::new(1)).await, Ok(1));
    assert_eq!(not_send_driven(Rc::new(1)).await, 1);
    assert_eq!(is_send(send_only(1.into())).await, Ok(2));
    assert_eq!(is_send(raw_names("a".into(), 1)).await, Ok("a1".into()));
}
