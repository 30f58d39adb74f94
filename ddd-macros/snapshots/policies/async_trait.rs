fn load<'life0, 'async_trait>(
    &'life0 self,
    id: u64,
) -> ::core::pin::Pin<
    Box<
        dyn ::core::future::Future<
            Output = Result<u64, Refused>,
        > + ::core::marker::Send + 'async_trait,
    >,
>
where
    'life0: 'async_trait,
    Self: 'async_trait,
{
    use ::ddd_core::__private::policies as __ddd;
    static __POLICY_0: __ddd::TimeoutCell = __ddd::TimeoutCell::new(
        __ddd::Site::new(
            ::core::concat!(::core::module_path!(), "::load"),
            ::core::file!(),
            ::core::line!(),
            0,
        ),
        __ddd::TimeoutSettings::new(::core::time::Duration::from_secs(1u64)),
    );
    __ddd::inventory::submit! {
        __ddd::PolicyRegistration::new(& __POLICY_0)
    }
    Box::pin(async move {
        let __out = __POLICY_0
            .within(async move {
                ::core::result::Result::Ok::<
                    _,
                    __ddd::Refused,
                >(
                    async move {
                        if let ::core::option::Option::Some(__returned) = ::core::option::Option::None::<
                            Result<u64, Refused>,
                        > {
                            #[allow(unreachable_code)] return __returned;
                        }
                        let __self = self;
                        let id = id;
                        __self.find(id).await
                    }
                        .await,
                )
            })
            .await;
        __ddd::refusable(__out)
    })
}
