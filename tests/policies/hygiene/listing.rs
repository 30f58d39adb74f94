//! Every policy is known before the first call of its function, and without one.

use ddd_core::testing::isolated;
use ddd_core::{
    App, BuildError, PolicyKind, bulkhead, cached, circuit_breaker, policies, rate_limited, retry, timeout,
};

use super::support::Error;

struct Never<T>(T);

impl<T: Clone + Send + Sync> Never<T> {
    #[cached("5m", key = id, name = "listing.never")]
    #[rate_limited(7, per = "1s", key = id)]
    #[circuit_breaker]
    #[retry(4)]
    #[allow(dead_code, reason = "that it is never called is the test")]
    async fn called<U: Clone>(&self, id: u64, _with: U) -> Result<u64, Error> {
        let _ = &self.0;
        Ok(id)
    }
}

#[bulkhead(3)]
#[timeout("3s")]
#[allow(dead_code, reason = "that it is never called is the test")]
async fn unnamed() -> Result<(), Error> {
    Ok(())
}

#[circuit_breaker(name = "listing.breaker")]
#[retry(name = "listing.spread")]
#[allow(dead_code, reason = "that it is never called is the test")]
async fn breaker_of_its_own() -> Result<(), Error> {
    Ok(())
}

#[test]
fn policies_of_functions_that_are_never_called_are_listed() {
    let listed = policies().get("listing.never").unwrap();
    let kinds: Vec<_> = listed.iter().map(|it| (it.kind, it.position)).collect();
    let expected = [PolicyKind::Cached, PolicyKind::RateLimited, PolicyKind::CircuitBreaker, PolicyKind::Retry];
    assert_eq!(kinds, expected.into_iter().zip(0..).collect::<Vec<_>>());
    let lines: Vec<_> = listed.iter().map(|it| it.line).collect();
    assert_eq!(lines, (lines[0]..lines[0] + 4).collect::<Vec<_>>(), "each has the line of its own attribute");
    let cached = &listed[0];
    assert!(cached.file.ends_with("listing.rs"), "{}", cached.file);
    assert!(cached.function.ends_with("hygiene::listing::called"), "{}", cached.function);
    assert_eq!((&cached.annotated["ttl"], &listed[3].annotated["max_attempts"]), (&"5m".into(), &4.into()));
}

#[test]
fn names_are_the_functions_unless_they_are_written() {
    let path = concat!(module_path!(), "::unnamed");
    let kinds: Vec<_> = policies().get(path).unwrap().into_iter().map(|it| it.kind).collect();
    assert_eq!(kinds, [PolicyKind::Bulkhead, PolicyKind::Timeout]);
    let kinds = |name| policies().get(name).unwrap().into_iter().map(|it| it.kind).collect::<Vec<_>>();
    assert_eq!(kinds("listing.breaker"), [PolicyKind::CircuitBreaker]);
    assert_eq!(kinds("listing.spread"), [PolicyKind::Retry]);
}

#[test]
fn nothing_is_wrong_with_the_policies_of_this_program() {
    assert_eq!(policies().problems(), Vec::<String>::new());
}

#[tokio::test]
async fn an_application_overrides_attributes() {
    isolated(async {
        let name = "listing.never";
        let limit = |limit| App::builder().override_policy(name, PolicyKind::RateLimited, [("limit", limit)]);
        let app = limit(9).override_policy(name, PolicyKind::Cached, [("ttl", "1m")]);
        let first = app.build().await.unwrap();
        let effective = |kind| {
            let all = policies().get(name).unwrap();
            all.into_iter().find(|it| it.kind == kind).unwrap().effective
        };
        assert_eq!(effective(PolicyKind::RateLimited)["limit"], 9);
        assert_eq!(effective(PolicyKind::RateLimited)["per"], "1s");
        assert_eq!(effective(PolicyKind::Cached)["ttl"], "1m");

        // The same again, or nothing, is all right; something else is not.
        limit(9).override_policy(name, PolicyKind::Cached, [("ttl", "1m")]).build().await.unwrap();
        let second = App::builder().build().await.unwrap();
        let BuildError::Wiring(problems) = limit(8).build().await.unwrap_err() else { panic!("not the wiring") };
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains("`listing.never` in another way"), "{problems:?}");
        assert_eq!(effective(PolicyKind::RateLimited)["limit"], 9);

        // As long as one is there that goes by them; then the next may say something else.
        drop(first);
        assert_eq!(effective(PolicyKind::RateLimited)["limit"], 9);
        limit(8).build().await.unwrap_err();
        drop(second);
        assert_eq!(effective(PolicyKind::RateLimited)["limit"], 9, "nobody says anything else yet");
        let third = limit(8).build().await.unwrap();
        assert_eq!(effective(PolicyKind::RateLimited)["limit"], 8);
        assert_eq!(effective(PolicyKind::Cached)["ttl"], "5m", "what nobody says any more");
        drop(third);
        let problems = limit(0).build().await;
        assert!(matches!(problems, Err(BuildError::Wiring(_))), "{problems:?}");
        assert_eq!(effective(PolicyKind::RateLimited)["limit"], 8, "an application that did not start changes nothing");
        let fourth = App::builder().build().await.unwrap();
        assert_eq!(effective(PolicyKind::RateLimited), policies().get(name).unwrap()[1].annotated);
        // One that says nothing stands in nobody's way.
        let fifth = limit(7).build().await.unwrap();
        assert_eq!(effective(PolicyKind::RateLimited)["limit"], 7);
        drop((fourth, fifth));
    })
    .await;
}

#[tokio::test]
async fn overrides_that_cannot_be_are_told_all_at_once_and_change_nothing() {
    isolated(async {
        let builder = App::builder()
            .override_policy("listing.never", PolicyKind::Retry, [("max_attempts", 9)])
            .override_policy("listing.never", PolicyKind::Cached, [("tttl", "1m")])
            .override_policy("listing.never", PolicyKind::Timeout, [("duration", "1m")])
            .override_policy("listing.newer", PolicyKind::Retry, [("max_attempts", 9)]);
        let BuildError::Wiring(problems) = builder.build().await.unwrap_err() else { panic!("not the wiring") };
        let expected = ["did you mean `ttl`", "no policy of the kind `timeout`", "did you mean `listing.never`"];
        assert_eq!(problems.len(), expected.len(), "{problems:#?}");
        for (problem, expected) in problems.iter().zip(expected) {
            assert!(problem.contains(expected), "{problem}");
        }
        let all = policies().get("listing.never").unwrap();
        assert_eq!(all[3].effective["max_attempts"], 4);
    })
    .await;
}
