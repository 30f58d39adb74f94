#!/usr/bin/env bash
# What `#[task]` costs to compile: 200 functions with it, against the same functions beside hand-written structs that
# derive Serialize, Deserialize and JsonSchema. Both crates are built in turn, dependencies built before; the ratio of
# the medians is printed, once for `cargo check` and once for `cargo build`.
#
# usage: tests/weight/compile_time.sh [functions] [rounds]
set -euo pipefail

functions=${1:-200}
rounds=${2:-7}
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CARGO_TARGET_DIR="$work/target" CARGO_INCREMENTAL=0 CARGO_TERM_QUIET=true

crate() { # name, one function to stdout per number
    local name=$1 emit=$2
    mkdir -p "$work/$name/src"
    cat >"$work/$name/Cargo.toml" <<TOML
[package]
name = "$name"
version = "0.0.0"
edition = "2024"
[dependencies]
ddd-core = { path = "$root/ddd-core" }
serde = { version = "1", features = ["derive"] }
schemars = "1"
TOML
    {
        echo '//! Generated.'
        for ((i = 0; i < functions; i++)); do "$emit" "$i"; done
    } >"$work/$name/src/lib.rs"
}

body() { # number: a body with an await, a branch and an error
    cat <<RUST
    if subject.is_empty() {
        return Err(std::io::Error::other("no subject"));
    }
    std::future::ready(()).await;
    Ok(format!("{recipient}: {subject} ({} bytes, {urgent})", body.len() + $1))
RUST
}

annotated() {
    cat <<RUST
/// Sends an e-mail.
#[ddd_core::task]
pub async fn send_$1(recipient: String, subject: String, body: String, urgent: bool) -> Result<String, std::io::Error> {
$(body "$1")
}
RUST
}

by_hand() {
    cat <<RUST
/// The parameters of sending an e-mail.
#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Send$1 {
    pub recipient: String,
    pub subject: String,
    pub body: String,
    pub urgent: bool,
}

/// Sends an e-mail.
pub async fn send_$1(recipient: String, subject: String, body: String, urgent: bool) -> Result<String, std::io::Error> {
$(body "$1")
}
RUST
}

crate annotated annotated
crate by_hand by_hand
printf '[workspace]\nmembers = ["annotated", "by_hand"]\nresolver = "3"\n[profile.dev]\ndebug = "line-tables-only"\n' >"$work/Cargo.toml"
cp "$root/Cargo.lock" "$work/Cargo.lock"

once() { # verb, crate: seconds
    cd "$work"
    touch "$2/src/lib.rs"
    local from to
    from=$(date +%s%N)
    cargo "$1" -p "$2"
    to=$(date +%s%N)
    awk -v ns=$((to - from)) 'BEGIN { printf "%.3f\n", ns / 1e9 }'
}

median() { sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }

for verb in check build; do
    (cd "$work" && cargo "$verb") # the dependencies, and one round that does not count
    for ((round = 0; round < rounds; round++)); do
        once "$verb" annotated >>"$work/$verb.annotated"
        once "$verb" by_hand >>"$work/$verb.by_hand"
    done
    annotated_s=$(median <"$work/$verb.annotated")
    by_hand_s=$(median <"$work/$verb.by_hand")
    awk -v verb="$verb" -v ours="$annotated_s" -v theirs="$by_hand_s" -v n="$functions" 'BEGIN {
        printf "{\"case\":\"task_compile_%s\",\"ours\":%.3f,\"by_hand\":%.3f,\"ratio\":%.3f,\"unit\":\"s/%d functions\"}\n",
            verb, ours, theirs, ours / theirs, n
    }'
done
