async fn count(
    &mut self,
    (by, unit): (u32, Unit),
    log: &mut Log,
) -> Result<impl Display, Refused> {
    use ::ddd_core::__private::policies as __ddd;
    #[allow(unused_imports)]
    use timeout as _;
    static __POLICY_0: __ddd::RetryCell = __ddd::RetryCell::new(
        __ddd::Site::new(
                ::core::concat!(::core::module_path!(), "::count"),
                ::core::file!(),
                ::core::line!(),
                0,
            )
            .stating(&["max_attempts"]),
        __ddd::RetrySettings::new().max_attempts(3),
    );
    __ddd::inventory::submit! {
        __ddd::PolicyRegistration::new(& __POLICY_0)
    }
    static __POLICY_1: __ddd::TimeoutCell = __ddd::TimeoutCell::new(
        __ddd::Site::new(
            ::core::concat!(::core::module_path!(), "::count"),
            ::core::file!(),
            ::core::line!(),
            1,
        ),
        __ddd::TimeoutSettings::new(::core::time::Duration::from_secs(1u64)),
    );
    __ddd::inventory::submit! {
        __ddd::PolicyRegistration::new(& __POLICY_1)
    }
    let __judge = {
        use __ddd::{JudgeOfAny as _, JudgeOfClassified as _, JudgeOfResult as _};
        (&&&__ddd::Shape::<Result<_, Refused>>::new()).judge()
    };
    let __out = {
        let mut __attempts = __POLICY_0.start();
        loop {
            let by = __ddd::again(&by);
            let mut unit = __ddd::again(&unit);
            let log = &mut *log;
            let __out = __POLICY_1
                .within(async {
                    ::core::result::Result::Ok::<
                        _,
                        __ddd::Refused,
                    >(
                        async {
                            if let ::core::option::Option::Some(__returned) = ::core::option::Option::None::<
                                Result<_, Refused>,
                            > {
                                #[allow(unreachable_code)] return __returned;
                            }
                            unit.add(by);
                            log.write(self.add(unit))
                        }
                            .await,
                    )
                })
                .await;
            match __attempts.after(__judge.attempt(&__out)) {
                __ddd::Next::Done => break __out,
                __ddd::Next::After(__pause) => __pause.await,
            }
        }
    };
    __ddd::refusable(__out)
}
