#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "probe")]
use ddd_core::{App, task};
use std::time::Instant;

#[task]
async fn noop() {}

#[task]
async fn count(path: String) -> std::io::Result<usize> {
    Ok(tokio::fs::read_to_string(path).await?.split_whitespace().count())
}

fn main() {
    let rt = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let n: usize = std::env::args().nth(1).and_then(|it| it.parse().ok()).unwrap_or(300_000);
    rt.block_on(async {
        let app = App::builder().slots(4).build().await.unwrap();
        let mut tr = app.tasks().transitions();
        let seen = tokio::spawn(async move {
            let mut k = 0u64;
            loop {
                match tr.next().await {
                    Ok(t) => {
                        k += 1;
                        if t.is_terminal() && t.name == "count" {
                            return k;
                        }
                    }
                    Err(e) => {
                        println!("{e}");
                    }
                }
            }
        });
        app.start_workers().await.unwrap();
        println!("{}", app.submit(count { path: "Cargo.toml".into() }).await.unwrap().result().await.unwrap());
        println!("seen {}", seen.await.unwrap());
        for round in 0..5 {
            let mut tr = app.tasks().transitions();
            let sub = tokio::spawn(async move {
                let mut k = 0usize;
                let mut lost = 0;
                while k < n {
                    match tr.next().await {
                        Ok(t) => {
                            if t.is_terminal() {
                                k += 1
                            }
                        }
                        Err(e) => {
                            lost += e.missed;
                            break;
                        }
                    }
                }
                lost
            });
            let t = Instant::now();
            let mut handles = Vec::with_capacity(n);
            for _ in 0..n {
                handles.push(app.submit(noop {}).await.unwrap());
            }
            let filled = t.elapsed();
            for h in &handles {
                h.result().await.unwrap();
            }
            let all = t.elapsed();
            drop(handles);
            println!(
                "round {round}: overlapped {:.0}/s, submit {:.0}/s lost {}",
                n as f64 / all.as_secs_f64(),
                n as f64 / filled.as_secs_f64(),
                sub.await.unwrap()
            );
        }
        let s = app.tasks().statistics().await.unwrap();
        println!("{:?}", s.now);
        println!("{:?}", app.shutdown(std::time::Duration::from_secs(1)).await);
        for _ in 0..3 {
            let app = App::builder().slots(4).build().await.unwrap();
            let t = Instant::now();
            let mut handles = Vec::with_capacity(n);
            for _ in 0..n {
                handles.push(app.submit(noop {}).await.unwrap());
            }
            let fill = t.elapsed();
            app.start_workers().await.unwrap();
            for h in &handles {
                h.result().await.unwrap();
            }
            let drain = t.elapsed() - fill;
            println!(
                "fill {:.0}/s drain {:.0}/s total {:.0}/s",
                n as f64 / fill.as_secs_f64(),
                n as f64 / drain.as_secs_f64(),
                n as f64 / (fill + drain).as_secs_f64()
            );
        }
    });
}
