///The cache of `profile`.
pub(crate) const PROFILE: ::ddd_core::__private::policies::CacheHandle<
    (TenantId, u64),
    Result<Profile, ApiError>,
> = {
    use ::ddd_core::__private::policies as __ddd;
    static __POLICY_0: __ddd::CachedCell = __ddd::CachedCell::new(
        __ddd::Site::new(
                ::core::concat!(::core::module_path!(), "::profile"),
                ::core::file!(),
                ::core::line!(),
                0,
            )
            .named("user_profile")
            .stating(&["ttl"]),
        __ddd::CachedSettings::new().ttl(::core::time::Duration::from_secs(600u64)),
    );
    __ddd::inventory::submit! {
        __ddd::PolicyRegistration::new(& __POLICY_0)
    }
    __ddd::CacheHandle::new::<
        Self,
    >(
        &__POLICY_0,
        __ddd::HandleRules::new(
            |it| __ddd::CacheRules::is_stored(
                &{
                    use __ddd::{RulesOfAny as _, RulesOfKnown as _, RulesOfShared as _};
                    (&&&__ddd::Shape::<Result<Profile, ApiError>>::new())
                        .rules()
                        .kept()
                        .store_if(|it| is_good(it))
                },
                it,
            ),
            |it| __ddd::CacheRules::share(
                &{
                    use __ddd::{RulesOfAny as _, RulesOfKnown as _, RulesOfShared as _};
                    (&&&__ddd::Shape::<Result<Profile, ApiError>>::new()).rules().kept()
                },
                it,
            ),
        ),
    )
};
/// The profile.
#[instrument]
pub(crate) async fn profile(
    &self,
    id: u64,
    options: Options,
) -> Result<Profile, ApiError> {
    use ::ddd_core::__private::policies as __ddd;
    #[allow(unused_imports)]
    use rate_limited as _;
    #[allow(unused_imports)]
    use ddd_core::circuit_breaker as _;
    #[allow(unused_imports)]
    use retry as _;
    #[allow(unused_imports)]
    use bulkhead as _;
    #[allow(unused_imports)]
    use timeout as _;
    static __POLICY_1: __ddd::RateLimitedCell = __ddd::RateLimitedCell::new(
        __ddd::Site::new(
                ::core::concat!(::core::module_path!(), "::profile"),
                ::core::file!(),
                ::core::line!(),
                1,
            )
            .called("user_profile")
            .stating(&["and", "limit", "per", "wait"]),
        __ddd::RateLimitedSettings::new()
            .limit(30)
            .per(::core::time::Duration::from_secs(1u64))
            .wait(::core::time::Duration::from_secs(5u64))
            .and(500, ::core::time::Duration::from_secs(3600u64)),
    );
    __ddd::inventory::submit! {
        __ddd::PolicyRegistration::new(& __POLICY_1)
    }
    static __POLICY_2: __ddd::CircuitBreakerCell = __ddd::CircuitBreakerCell::new(
        __ddd::Site::new(
                ::core::concat!(::core::module_path!(), "::profile"),
                ::core::file!(),
                ::core::line!(),
                2,
            )
            .called("user_profile")
            .stating(&["window_time"]),
        __ddd::CircuitBreakerSettings::new()
            .window_time(::core::time::Duration::from_secs(60u64)),
    );
    __ddd::inventory::submit! {
        __ddd::PolicyRegistration::new(& __POLICY_2)
    }
    static __POLICY_3: __ddd::RetryCell = __ddd::RetryCell::new(
        __ddd::Site::new(
                ::core::concat!(::core::module_path!(), "::profile"),
                ::core::file!(),
                ::core::line!(),
                3,
            )
            .called("user_profile")
            .stating(&["backoff", "delay", "jitter", "max_attempts", "max_delay"]),
        __ddd::RetrySettings::external_api()
            .delay(::core::time::Duration::from_millis(200u64)),
    );
    __ddd::inventory::submit! {
        __ddd::PolicyRegistration::new(& __POLICY_3)
    }
    static __POLICY_4: __ddd::BulkheadCell = __ddd::BulkheadCell::new(
        __ddd::Site::new(
                ::core::concat!(::core::module_path!(), "::profile"),
                ::core::file!(),
                ::core::line!(),
                4,
            )
            .called("user_profile"),
        __ddd::BulkheadSettings::new(10),
    );
    __ddd::inventory::submit! {
        __ddd::PolicyRegistration::new(& __POLICY_4)
    }
    static __POLICY_5: __ddd::TimeoutCell = __ddd::TimeoutCell::new(
        __ddd::Site::new(
                ::core::concat!(::core::module_path!(), "::profile"),
                ::core::file!(),
                ::core::line!(),
                5,
            )
            .called("user_profile"),
        __ddd::TimeoutSettings::new(::core::time::Duration::from_secs(2u64)),
    );
    __ddd::inventory::submit! {
        __ddd::PolicyRegistration::new(& __POLICY_5)
    }
    __ddd::needs_result::<Result<Profile, ApiError>>();
    let __judge = {
        use __ddd::{JudgeOfAny as _, JudgeOfClassified as _, JudgeOfResult as _};
        (&&&__ddd::Shape::<Result<Profile, ApiError>>::new()).judge()
    };
    let __out = Self::PROFILE
        .cell()
        .fill(
            __ddd::Of::<
                Self,
                _,
            >::of(__ddd::CacheKeyOf::<(TenantId, u64)>((self.tenant, id)).written()),
            {
                use __ddd::{RulesOfAny as _, RulesOfKnown as _, RulesOfShared as _};
                (&&&__ddd::Shape::<Result<Profile, ApiError>>::new())
                    .rules()
                    .kept()
                    .store_if(|it| is_good(it))
            },
            move || {
                let __tags = [__ddd::Tag::new(&self.tenant)];
                __ddd::Fill::new(async move {
                        '__refused: {
                            {
                                if let ::core::result::Result::Err(__refused) = __POLICY_1
                                    .admit(__ddd::limit_key(&self.tenant), 1)
                                    .await
                                {
                                    break '__refused ::core::result::Result::Err(__refused);
                                }
                                {
                                    let __call2 = match __POLICY_2.begin() {
                                        ::core::result::Result::Ok(__passed) => __passed,
                                        ::core::result::Result::Err(__refused) => {
                                            break '__refused ::core::result::Result::Err(__refused);
                                        }
                                    };
                                    let __out = {
                                        let mut __attempts = __POLICY_3.start();
                                        loop {
                                            let id = __ddd::again(&id);
                                            let mut options = __ddd::again(&options);
                                            let __out = {
                                                let __permit4 = match __POLICY_4.enter().await {
                                                    ::core::result::Result::Ok(__passed) => __passed,
                                                    ::core::result::Result::Err(__refused) => {
                                                        break '__refused ::core::result::Result::Err(__refused);
                                                    }
                                                };
                                                __POLICY_5
                                                    .within(async move {
                                                        ::core::result::Result::Ok::<
                                                            _,
                                                            __ddd::Refused,
                                                        >(
                                                            async move {
                                                                if let ::core::option::Option::Some(__returned) = ::core::option::Option::None::<
                                                                    Result<Profile, ApiError>,
                                                                > {
                                                                    #[allow(unreachable_code)] return __returned;
                                                                }
                                                                options.fast = true;
                                                                self.http.get(id, options).await
                                                            }
                                                                .await,
                                                        )
                                                    })
                                                    .await
                                            };
                                            match __attempts.after(__judge.attempt(&__out)) {
                                                __ddd::Next::Done => break __out,
                                                __ddd::Next::After(__pause) => __pause.await,
                                            }
                                        }
                                    };
                                    __call2
                                        .end(
                                            __judge.verdict_when(&__out, |error| error.is_transient()),
                                        );
                                    __out
                                }
                            }
                        }
                    })
                    .tagged(__tags)
            },
        )
        .await;
    __ddd::refusable(__out)
}
