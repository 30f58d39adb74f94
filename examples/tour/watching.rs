//! What can be seen of tasks, and done to many of them.

use ddd_core::{Filter, Operation, TaskContext, TaskStatus, task};

use crate::{Outcome, builder, start};

/// Copies so many pieces, and says how far it is.
#[task(tags("files"), category = "storage")]
async fn copy(pieces: u32, #[inject] context: TaskContext) -> Result<u32, String> {
    for piece in 1..=pieces {
        context.progress(f64::from(piece) / f64::from(pieces), format!("piece {piece} of {pieces}"));
        tokio::time::sleep(std::time::Duration::from_millis(15)).await;
    }
    if pieces == 3 { Err("the third piece is torn".to_owned()) } else { Ok(pieces) }
}

pub async fn show() -> Outcome {
    let app = start(builder()).await?;
    let tasks = app.tasks();

    section!("Transitions, as a stream; progress is one of them");
    let mut transitions = tasks.transitions();
    app.submit(copy { pieces: 4 }).await?;
    loop {
        let it = transitions.next().await?;
        match &it.progress {
            Some(progress) => say!("{:>3.0} % {}", progress.fraction * 100.0, progress.message),
            None => say!("{} -> {}", it.from.map_or("(new)", TaskStatus::as_str), it.to),
        }
        if it.is_terminal() {
            break;
        }
    }

    section!("History and statistics");
    for handle in app.submit_many((1..=5).map(|pieces| copy { pieces })).await? {
        handle?;
    }
    tasks.wait_idle().await?;
    // A list shows tasks in short; who wants their parameters asks for the records.
    let newest = tasks.history(Filter::all().tag("files"), None, 3).await?.items;
    for record in tasks.get_many(newest.iter().map(|it| it.id)).await?.into_iter().flatten() {
        let took = record.duration().unwrap_or_default().as_millis();
        say!("{} {} -> {} in {took} ms", record.name, record.params, record.status);
    }
    let statistics = tasks.statistics().await?;
    say!("submitted {}, success rate {:.2?}", statistics.submitted, statistics.success_rate.unwrap_or_default());
    say!("median {:.1?}, p95 {:.1?}", statistics.run_time.median, statistics.run_time.p95);

    section!("Many at once: a new run of all that failed, then the records dropped");
    let failed = Filter::all().status(TaskStatus::Failed);
    let retried = tasks.bulk(failed, Operation::Retry).await?;
    tasks.wait_idle().await?;
    let again = tasks.history(Filter::all().status(TaskStatus::Failed), None, 10).await?.items;
    say!("{} retried", retried.applied);
    for record in tasks.get_many(again.iter().map(|it| it.id)).await?.into_iter().flatten() {
        say!("{} {} -> {} again, in run {}", record.name, record.params, record.status, record.run);
    }
    say!("{} dropped", tasks.bulk(Filter::all().finished(), Operation::Delete).await?.applied);

    section!("The registry: every task of the program, before its first call");
    say!("{} tasks are linked; those about files:", app.registry().len());
    for it in app.registry().search("FILES") {
        say!("{} at {}: {}", it.name, it.definition.place(), it.definition.doc);
        say!("parameters: {}", it.schemas().params.as_value()["properties"]);
    }
    Ok(())
}
