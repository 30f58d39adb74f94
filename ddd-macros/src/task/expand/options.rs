//! The settings, as the chain of calls that states them.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::quote;

use crate::task::settings::{Retry, Schedule, Settings};

/// The settings that are written, in the order of the type that holds them.
pub(super) fn options(settings: &Settings) -> TokenStream {
    let Settings {
        queue,
        priority,
        timeout,
        retry,
        unique,
        concurrency,
        result_ttl,
        schedule,
        version,
        category,
        tags,
        internal,
    } = settings;
    let mut all = quote!(__ddd::Options::DEFAULT);
    let mut set = |written: Option<TokenStream>| all.extend(written);
    set(queue.as_ref().map(|it| quote!(.queue(#it))));
    set(priority.map(|it| quote!(.priority(__ddd::Priority::clamped(#it)))));
    set(timeout.map(|it| {
        let it = duration(it);
        quote!(.timeout(#it))
    }));
    set(retry.as_ref().map(|it| {
        let it = self::retry(it);
        quote!(.retry(#it))
    }));
    set(unique.as_ref().map(|it| match it.lasts.map(duration) {
        Some(lasts) => quote!(.unique(__ddd::Until::Elapsed(#lasts))),
        None => quote!(.unique(__ddd::Until::Finished)),
    }));
    set(concurrency.as_ref().map(|it| {
        let limit = it.limit;
        quote!(.concurrency(#limit))
    }));
    set(result_ttl.map(|it| {
        let it = duration(it);
        quote!(.result_ttl(#it))
    }));
    set(schedule.as_ref().map(|it| {
        let it = self::schedule(it);
        quote!(.schedule(#it))
    }));
    set(version.map(|it| quote!(.version(#it))));
    set(category.as_ref().map(|it| quote!(.category(#it))));
    set((!tags.is_empty()).then(|| quote!(.tags(&[#(#tags),*]))));
    set(internal.then(|| quote!(.internal(true))));
    all
}

fn retry(retry: &Retry) -> TokenStream {
    let Retry { max_attempts, delay, backoff, max_delay, jitter } = retry;
    let delay = delay.map(duration).map(|it| quote!(.delay(#it)));
    let backoff = backoff.map(|it| quote!(.backoff(#it)));
    let max_delay = max_delay.map(duration).map(|it| quote!(.max_delay(#it)));
    let jitter = jitter.map(|it| quote!(.jitter(#it)));
    quote!(__ddd::Retry::attempts(#max_attempts) #delay #backoff #max_delay #jitter)
}

fn schedule(schedule: &Schedule) -> TokenStream {
    match schedule {
        Schedule::Cron { expression, time_zone } => {
            quote!(__ddd::ScheduleOption::Cron { expression: #expression, time_zone: #time_zone })
        }
        Schedule::Every(period) => {
            let period = duration(*period);
            quote!(__ddd::ScheduleOption::Every(#period))
        }
    }
}

fn duration(duration: Duration) -> TokenStream {
    match u64::try_from(duration.as_millis()) {
        Ok(millis) if duration.subsec_millis() != 0 => quote!(::core::time::Duration::from_millis(#millis)),
        _ => {
            let seconds = duration.as_secs();
            quote!(::core::time::Duration::from_secs(#seconds))
        }
    }
}
