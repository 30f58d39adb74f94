#[derive(
    ::ddd_core::__private::serde::Serialize,
    ::ddd_core::__private::schemars::JsonSchema
)]
#[serde(crate = "::ddd_core::__private::serde", deny_unknown_fields)]
#[schemars(crate = "::ddd_core::__private::schemars")]
#[allow(non_camel_case_types, missing_docs)]
pub struct render {
    pub invoice: Invoice,
}
#[allow(deprecated)]
const _: () = {
    use ::ddd_core::__private as __ddd;
    #[allow(trivial_bounds)]
    trait __Params
    where
        Invoice: __ddd::TaskParam,
    {}
    static __TASK: __ddd::Definition = __ddd::definition::<
        render,
    >(
        "render",
        "",
        (::core::module_path!(), ::core::file!(), ::core::line!()),
        __ddd::Options::DEFAULT,
        __ddd::Body::Remote,
        __ddd::check_shape::<render>,
        &[],
        &[],
    );
    __ddd::inventory::submit! {
        __ddd::Registration::new(& __TASK)
    }
    #[automatically_derived]
    impl __ddd::Task for render {
        type Output = <Result<Rendered, RenderError> as __ddd::TaskReturn>::Output;
        #[inline]
        fn definition() -> &'static __ddd::Definition {
            &__TASK
        }
        fn from_params(
            params: &__ddd::RawValue,
        ) -> ::core::result::Result<Self, __ddd::InvalidParams> {
            let __members = __ddd::members(params, &["invoice"])?;
            ::core::result::Result::Ok(Self {
                invoice: __members.read(0usize)?,
            })
        }
    }
    #[automatically_derived]
    impl<'de> __ddd::serde::Deserialize<'de> for render {
        fn deserialize<D: __ddd::serde::Deserializer<'de>>(
            it: D,
        ) -> ::core::result::Result<Self, D::Error> {
            let (__value0,) = __ddd::fields(it, "render", &["invoice"])?;
            ::core::result::Result::Ok(Self { invoice: __value0 })
        }
    }
    #[automatically_derived]
    impl ::core::fmt::Debug for render {
        #[inline]
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            __ddd::debug(self, "render", f)
        }
    }
};
