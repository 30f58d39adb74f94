//! Never more bodies at once than the limits allow, and never fewer than they could.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use ddd_core::{App, MemoryStore, QueueSettings, Quota, Task, TaskStatus, TaskStore, task};
use tokio::{
    sync::{Barrier, Semaphore},
    time::Instant,
};

use crate::support::{Gauge, assert_about, real_app, soon, virtual_app};

/// Ends when as many bodies as the barrier wants are inside at once.
#[task]
async fn meet(#[inject] gauge: Gauge, #[inject] barrier: Arc<Barrier>) {
    let _inside = gauge.enter();
    barrier.wait().await;
}

#[task(queue = "narrow")]
async fn meet_in_narrow(#[inject] gauges: Gauges, #[inject] barrier: Arc<Barrier>) {
    let _inside = (gauges.own.enter(), gauges.all.enter());
    barrier.wait().await;
}

#[derive(Clone, Default)]
struct Gauges {
    own: Gauge,
    all: Gauge,
}

#[task]
async fn hold(#[inject] gauge: Gauge, #[inject] permits: Arc<Semaphore>) {
    let _inside = gauge.enter();
    permits.acquire().await.unwrap().forget();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_burst_runs_as_many_bodies_as_there_are_slots_and_no_more() {
    let gauge = Gauge::default();
    let app = real_app(&[meet::definition()])
        .provide(gauge.clone())
        .provide(Arc::new(Barrier::new(4)))
        .slots(4)
        .build()
        .await
        .unwrap();
    app.start_workers().await.unwrap();
    let mut handles = Vec::new();
    for _ in 0..500 {
        handles.push(app.submit(meet {}).await.unwrap());
    }
    for handle in handles {
        soon(handle.result()).await.unwrap();
    }
    assert_eq!((gauge.entered(), gauge.most()), (500, 4));
    ddd_core::testing::shutdown(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn slots_change_under_load() {
    let (gauge, permits) = (Gauge::default(), Arc::new(Semaphore::new(0)));
    let app =
        real_app(&[hold::definition()]).provide(gauge.clone()).provide(permits.clone()).slots(4).build().await.unwrap();
    app.start_workers().await.unwrap();
    for _ in 0..300 {
        app.submit(hold {}).await.unwrap();
    }
    gauge.reaches(4).await;
    app.set_slots(9);
    gauge.reaches(9).await;
    // Seven end before another one may start.
    app.set_slots(2);
    permits.add_permits(7);
    gauge.reaches(2).await;
    assert_eq!(gauge.entered(), 9, "a body started while more ran than there were slots");
    // From now on the new limit is kept, whatever ends.
    gauge.reset();
    for ended in 1..=100 {
        permits.add_permits(1);
        soon(async {
            while gauge.entered() < 9 + ended {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
    assert_eq!(gauge.most(), 2);
    app.set_slots(5);
    gauge.reaches(5).await;
    gauge.reset();
    permits.add_permits(1_000);
    soon(app.tasks().wait_idle()).await.unwrap();
    assert_eq!((gauge.entered(), gauge.now()), (300, 0));
    assert!(gauge.most() <= 5, "{} bodies in 5 slots", gauge.most());
}

/// Two applications on one store, each with plenty of slots and a queue that is limited.
async fn two(limits: QueueSettings, barrier: usize) -> [(App, Gauges); 2] {
    let store: Arc<dyn TaskStore> = Arc::new(MemoryStore::new());
    let (barrier, all) = (Arc::new(Barrier::new(barrier)), Gauge::default());
    let mut apps = Vec::new();
    for _ in 0..2 {
        let gauges = Gauges { all: all.clone(), ..Gauges::default() };
        let app = real_app(&[meet_in_narrow::definition()])
            .shared_store(store.clone())
            .provide(gauges.clone())
            .provide(barrier.clone())
            .queue("narrow", limits)
            .slots(8)
            .build()
            .await
            .unwrap();
        app.start_workers().await.unwrap();
        apps.push((app, gauges));
    }
    apps.try_into().unwrap_or_else(|_| unreachable!("there are two"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_queue_is_limited_across_workers() {
    let [(one, gauges), (_two, _)] = two(QueueSettings::new().concurrency(3), 3).await;
    for _ in 0..120 {
        one.submit(meet_in_narrow {}).await.unwrap();
    }
    soon(one.tasks().wait_idle()).await.unwrap();
    assert_eq!((gauges.all.entered(), gauges.all.most()), (120, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_queue_is_limited_in_each_worker() {
    let [(one, first), (_two, second)] = two(QueueSettings::new().concurrency_per_worker(2), 4).await;
    for _ in 0..120 {
        one.submit(meet_in_narrow {}).await.unwrap();
    }
    soon(one.tasks().wait_idle()).await.unwrap();
    assert_eq!((first.all.entered(), first.all.most()), (120, 4));
    assert_eq!((first.own.most(), second.own.most()), (2, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_holds_no_other_up() {
    let (gauge, permits) = (Gauge::default(), Arc::new(Semaphore::new(0)));
    let app = real_app(&[hold::definition()])
        .provide(gauge.clone())
        .provide(permits.clone())
        .queue("narrow", QueueSettings::new().concurrency_per_worker(1))
        .queue("tight", QueueSettings::new().concurrency(1))
        .slots(5)
        .build()
        .await
        .unwrap();
    app.start_workers().await.unwrap();
    for queue in ["narrow", "tight"] {
        for _ in 0..50 {
            app.submit(hold {}).queue(queue).await.unwrap();
        }
    }
    for _ in 0..3 {
        app.submit(hold {}).await.unwrap();
    }
    gauge.reaches(5).await;
    let running = app.tasks().queues().await.unwrap();
    let running = running.iter().map(|it| (it.name.to_string(), it.counts.get(TaskStatus::Running)));
    let running: HashMap<_, _> = running.collect();
    assert_eq!((running["narrow"], running["tight"], running["default"]), (1, 1, 3));
    permits.add_permits(1_000);
    soon(app.tasks().wait_idle()).await.unwrap();
}

#[derive(Clone, Default)]
struct Tenants(Arc<Mutex<HashMap<String, Tenant>>>);

/// How many of its tasks run, and where they meet.
type Tenant = (Gauge, Arc<Barrier>);

impl Tenants {
    fn of(&self, tenant: &str) -> (Gauge, Arc<Barrier>) {
        let mut all = self.0.lock().unwrap();
        all.entry(tenant.to_owned()).or_insert_with(|| (Gauge::default(), Arc::new(Barrier::new(2)))).clone()
    }
}

#[task(concurrency(limit = 2, key = tenant))]
async fn per_tenant(tenant: String, #[inject] tenants: Tenants) {
    let (gauge, barrier) = tenants.of(&tenant);
    let _inside = gauge.enter();
    barrier.wait().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tasks_of_one_key_are_limited_across_workers() {
    let store: Arc<dyn TaskStore> = Arc::new(MemoryStore::new());
    let tenants = Tenants::default();
    let mut apps = Vec::new();
    for _ in 0..2 {
        let app = real_app(&[per_tenant::definition()])
            .shared_store(store.clone())
            .provide(tenants.clone())
            .slots(8)
            .build()
            .await
            .unwrap();
        apps.push(app);
    }
    for number in 0..120 {
        apps[0].submit(per_tenant { tenant: format!("t{}", number % 3) }).await.unwrap();
    }
    let queued = apps[0].tasks().statistics().await.unwrap().now;
    assert_eq!((queued.get(TaskStatus::Pending), queued.get(TaskStatus::Blocked)), (6, 114));
    for app in &apps {
        app.start_workers().await.unwrap();
    }
    soon(apps[0].tasks().wait_idle()).await.unwrap();
    for tenant in ["t0", "t1", "t2"] {
        let gauge = tenants.of(tenant).0;
        assert_eq!((gauge.entered(), gauge.most()), (40, 2), "{tenant}");
    }
}

#[derive(Clone)]
struct Starts(Arc<Mutex<Vec<Duration>>>, Instant);

#[task(queue = "slow")]
async fn note_start(#[inject] starts: Starts) {
    starts.0.lock().unwrap().push(starts.1.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_queue_starts_no_more_than_its_rate() {
    let starts = Starts(Arc::default(), Instant::now());
    let quota = Quota::new(5, Duration::from_secs(10)).unwrap();
    let app = virtual_app(&[note_start::definition()])
        .provide(starts.clone())
        .queue_rate("slow", quota)
        .slots(16)
        .build()
        .await
        .unwrap();
    app.start_workers().await.unwrap();
    let mut handles = Vec::new();
    for _ in 0..20 {
        handles.push(app.submit(note_start {}).await.unwrap());
    }
    for handle in &handles {
        handle.result().await.unwrap();
        assert_eq!(handle.record().await.unwrap().unwrap().attempt, 1, "waiting for the rate costs no attempt");
    }
    let starts = starts.0.lock().unwrap().clone();
    for (number, start) in (0_u32..).zip(&starts) {
        assert_about(*start, Duration::from_secs(2) * number.saturating_sub(4), &number);
    }
    assert_eq!(starts.len(), 20);
}
