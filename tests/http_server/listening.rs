//! Where a server listens, and where it refuses to.

use std::error::Error as _;

use axum::Router;
use ddd_web::{Access, Api, ServeError, Server};

use crate::support::app;

#[tokio::test]
async fn an_open_api_is_not_shown_to_other_machines() {
    let app = app().await;
    let api = Api::new(&app, Access::open());
    let router: Router = Router::new().nest("/api/v1", api.routes());
    for address in ["0.0.0.0:0", "[::]:0"] {
        let refused = Server::new(&app, router.clone()).bind(address).await.unwrap_err();
        assert!(matches!(refused, ServeError::OpenToOthers { .. }), "{refused:?}");
        assert!(refused.to_string().contains("on_any_address"), "{refused}");
    }
    let refused = api.serve("0.0.0.0:0").await.unwrap_err();
    assert!(matches!(refused, ServeError::OpenToOthers { .. }), "{refused:?}");
    drop(Server::new(&app, router.clone()).bind("127.0.0.1:0").await.unwrap());
    drop(Server::new(&app, router.clone()).bind("localhost:0").await.unwrap());
    // Another application of this process has nothing to do with it.
    let other = crate::support::app().await;
    drop(Server::new(&other, Router::new()).bind("0.0.0.0:0").await.unwrap());
}

#[tokio::test]
async fn who_says_it_twice_may() {
    let app = app().await;
    let api = Api::new(&app, Access::open().on_any_address());
    let router: Router = Router::new().nest("/api/v1", api.routes());
    drop(Server::new(&app, router).bind("0.0.0.0:0").await.unwrap());
}

#[tokio::test]
async fn an_address_that_is_taken_or_none_says_so() {
    let app = app().await;
    let first = Server::new(&app, Router::new()).bind("127.0.0.1:0").await.unwrap();
    let taken = Server::new(&app, Router::new()).bind(first.address()).await.unwrap_err();
    assert!(taken.to_string().contains(&first.address().to_string()), "{taken}");
    // What `main` prints when it returns the error.
    let printed = format!("{taken:?}");
    assert_eq!(printed, format!("{taken}: {}", taken.source().unwrap()));
    let none = Server::new(&app, Router::new()).bind("no address").await.unwrap_err();
    assert!(matches!(none, ServeError::Address(_)) && none.to_string().contains("127.0.0.1:8000"), "{none}");
}
