/// The length.
pub async fn length(text: &str, times: usize) -> usize {
    use ::ddd_core::__private::policies as __ddd;
    static __POLICY_0: __ddd::CachedCell = __ddd::CachedCell::new(
        __ddd::Site::new(
                ::core::concat!(::core::module_path!(), "::length"),
                ::core::file!(),
                ::core::line!(),
                0,
            )
            .stating(&["ttl"]),
        __ddd::CachedSettings::new().ttl(::core::time::Duration::from_secs(3600u64)),
    );
    __ddd::inventory::submit! {
        __ddd::PolicyRegistration::new(& __POLICY_0)
    }
    let __out = __POLICY_0
        .fill(
            __ddd::Parts::new(
                &|| {},
                (
                    __ddd::Lent(__ddd::CacheKeyOf(text).borrowed()),
                    __ddd::Own(__ddd::CacheKeyOf(&times).part()),
                ),
            ),
            {
                use __ddd::{RulesOfAny as _, RulesOfKnown as _, RulesOfShared as _};
                (&&&__ddd::Shape::<usize>::new()).rules().kept()
            },
            move || async move {
                ::core::result::Result::Ok::<
                    _,
                    ::core::convert::Infallible,
                >(
                    async move {
                        if let ::core::option::Option::Some(__returned) = ::core::option::Option::None::<
                            usize,
                        > {
                            #[allow(unreachable_code)] return __returned;
                        }
                        text.len() * times
                    }
                        .await,
                )
            },
        )
        .await;
    __ddd::never_refused(__out)
}
