//! What only a fresh package and a clock can tell.

use crate::{
    MOST_CRATES,
    fresh::{self, Fresh, median},
};

/// What a service takes today for tasks, a cache and a limiter.
const PEERS: [(&str, &str); 3] = [("apalis", "1"), ("cached", "4"), ("governor", "0.10")];

const ROUNDS: usize = 3;

/// Seconds of `ours` and `peer`, as one JSON line; a ratio over 1 means that ours is better.
fn report(case: &str, ours: f64, peer: f64, peer_name: &str) -> f64 {
    let ratio = peer / ours;
    println!(
        r#"{{"case":"{case}","ours":{ours:.2},"peer":{peer:.2},"peer_name":"{peer_name}","ratio":{ratio:.2},"unit":"s"}}"#
    );
    ratio
}

fn ours() -> String {
    format!("ddd-core = {{ path = {:?} }}\n", fresh::workspace().join("ddd-core"))
}

#[test]
#[ignore = "needs the network"]
fn a_fresh_package_has_few_crates() {
    let package = Fresh::new("weight-fresh", &ours(), "");
    let count = package.crates().len();
    println!(r#"{{"case":"crates","ours":{count},"most":{MOST_CRATES}}}"#);
    assert!(count <= MOST_CRATES, "{count} crates, at most {MOST_CRATES}");
}

#[test]
#[ignore = "takes minutes, and the network"]
fn it_builds_no_slower_than_what_it_replaces() {
    let peers: String = PEERS.iter().map(|(name, version)| format!("{name} = {version:?}\n")).collect();
    let ours = Fresh::new("weight-ours", &ours(), "");
    let peer = Fresh::new("weight-peers", &peers, "");
    println!("crates: ours {}, peers {}", ours.crates().len(), peer.crates().len());
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        times[0].push(ours.cold_build());
        times[1].push(peer.cold_build());
    }
    let names = PEERS.map(|(name, _)| name).join("+");
    let ratio = report("cold_build", median(&mut times[0]), median(&mut times[1]), &names);
    assert!(ratio >= 1.0, "ours is slower: {times:?}");
}

/// How many functions each of the two packages has.
const FUNCTIONS: usize = 200;

/// The attribute may cost this much more than the same function beside a struct that is written by hand.
const MOST_RATIO: f64 = 1.3;

#[test]
#[ignore = "takes minutes, and the network"]
fn the_attribute_costs_little_more_than_a_struct_by_hand() {
    let dependencies = ours()
        + "schemars = { version = \"1.2\", default-features = false, features = [\"derive\", \"std\"] }\n\
           serde = { version = \"1\", features = [\"derive\"] }\nserde_json = \"1\"\n";
    let body = |index: usize| {
        format!(
            "async fn work_{index}(path: String, times: u32, tags: Vec<String>) -> std::io::Result<usize> {{\n    \
             Ok(path.len() * times as usize + tags.len() + {index})\n}}\n"
        )
    };
    let with_attribute: String = (0..FUNCTIONS).map(|it| format!("#[ddd_core::task]\npub {}\n", body(it))).collect();
    let by_hand: String = (0..FUNCTIONS)
        .map(|it| {
            format!(
                "#[derive(Debug, Clone, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]\n\
                 pub struct Work{it} {{\n    pub path: String,\n    pub times: u32,\n    pub tags: Vec<String>,\n}}\n\
                 pub {}\n",
                body(it)
            )
        })
        .collect();
    // A library compiles no generic code that nothing calls, so derives that are never used are free to build. The
    // attribute's are used, by the definition; this is the struct by hand as a hand-written queue uses it.
    let in_use: String = (0..FUNCTIONS)
        .map(|it| {
            format!(
                "pub async fn run_{it}(text: &str) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {{\n    \
                 let work: Work{it} = serde_json::from_str(text)?;\n    \
                 Ok(serde_json::to_string(&work_{it}(work.path, work.times, work.tags).await?)?)\n}}\n\
                 pub fn submit_{it}(work: &Work{it}) -> serde_json::Result<String> {{\n    \
                 serde_json::to_string(work)\n}}\n\
                 pub fn start_{it}(text: String) -> std::pin::Pin<Box<dyn Future<Output = bool> + Send>> {{\n    \
                 Box::pin(async move {{ run_{it}(&text).await.is_ok() }})\n}}\n"
            )
        })
        .collect();
    let ours = Fresh::new("weight-attribute", &dependencies, &with_attribute);
    let by_hand_in_use = Fresh::new("weight-by-hand-in-use", &dependencies, &(by_hand.clone() + &in_use));
    let by_hand = Fresh::new("weight-by-hand", &dependencies, &by_hand);
    let cases = [
        ("attribute_check", "check", &by_hand, "struct by hand", Some(MOST_RATIO)),
        ("attribute_build", "build", &by_hand_in_use, "struct by hand, in use", Some(MOST_RATIO)),
        ("attribute_build_unused", "build", &by_hand, "struct by hand, never used", None),
    ];
    for (case, command, peer, peer_name, most) in cases {
        // The first time builds the dependencies.
        ours.rebuild(command);
        peer.rebuild(command);
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            times[0].push(ours.rebuild(command));
            times[1].push(peer.rebuild(command));
        }
        let cost = 1.0 / report(case, median(&mut times[0]), median(&mut times[1]), peer_name);
        assert!(most.is_none_or(|it| cost <= it), "{case}: the attribute costs {cost:.2} times as much: {times:?}");
    }
}
