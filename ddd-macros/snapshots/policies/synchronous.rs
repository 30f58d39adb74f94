fn parse(text: String) -> Result<Tree, ParseError> {
    use ::ddd_core::__private::policies as __ddd;
    #[allow(unused_imports)]
    use rate_limited as _;
    static __POLICY_0: __ddd::CachedCell = __ddd::CachedCell::new(
        __ddd::Site::new(
            ::core::concat!(::core::module_path!(), "::parse"),
            ::core::file!(),
            ::core::line!(),
            0,
        ),
        __ddd::CachedSettings::new(),
    );
    __ddd::inventory::submit! {
        __ddd::PolicyRegistration::new(& __POLICY_0)
    }
    static __POLICY_1: __ddd::RateLimitedCell = __ddd::RateLimitedCell::new(
        __ddd::Site::new(
                ::core::concat!(::core::module_path!(), "::parse"),
                ::core::file!(),
                ::core::line!(),
                1,
            )
            .stating(&["limit"]),
        __ddd::RateLimitedSettings::new().limit(30),
    );
    __ddd::inventory::submit! {
        __ddd::PolicyRegistration::new(& __POLICY_1)
    }
    let __out = __POLICY_0
        .fill_now(
            __ddd::Of::new(&|| {}, __ddd::CacheKeyOf(&text).part()),
            {
                use __ddd::{RulesOfAny as _, RulesOfKnown as _, RulesOfShared as _};
                (&&&__ddd::Shape::<Result<Tree, ParseError>>::new()).rules().kept()
            },
            || '__refused: {
                {
                    if let ::core::result::Result::Err(__refused) = __POLICY_1
                        .try_admit((), 1)
                    {
                        break '__refused ::core::result::Result::Err(__refused);
                    }
                    ::core::result::Result::Ok::<
                        _,
                        __ddd::Refused,
                    >((move || -> Result<Tree, ParseError> { Tree::parse(&text) })())
                }
            },
        );
    __ddd::refusable(__out)
}
