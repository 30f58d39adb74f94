#[allow(clippy::needless_pass_by_value)]
fn hash(path: PathBuf, pool: &Pool) {
    pool.hash(path);
}
#[derive(
    ::ddd_core::__private::serde::Serialize,
    ::ddd_core::__private::schemars::JsonSchema
)]
#[serde(crate = "::ddd_core::__private::serde", deny_unknown_fields)]
#[schemars(crate = "::ddd_core::__private::schemars")]
#[allow(non_camel_case_types, missing_docs)]
struct hash {
    path: PathBuf,
}
#[allow(deprecated)]
const _: () = {
    use ::ddd_core::__private as __ddd;
    #[allow(trivial_bounds)]
    trait __Params
    where
        PathBuf: __ddd::TaskParam,
    {}
    static __TASK: __ddd::Definition = __ddd::definition::<
        hash,
    >(
        "hash",
        "",
        (::core::module_path!(), ::core::file!(), ::core::line!()),
        __ddd::Options::DEFAULT.unique(__ddd::Until::Finished),
        __ddd::Body::Blocking(__run),
        __ddd::check::<hash>,
        &[__ddd::Dependency::of::<Pool>("pool")],
        &[],
    );
    __ddd::inventory::submit! {
        __ddd::Registration::new(& __TASK)
    }
    #[automatically_derived]
    impl __ddd::Task for hash {
        type Output = <() as __ddd::TaskReturn>::Output;
        #[inline]
        fn definition() -> &'static __ddd::Definition {
            &__TASK
        }
        fn from_params(
            params: &__ddd::RawValue,
        ) -> ::core::result::Result<Self, __ddd::InvalidParams> {
            let __members = __ddd::members(params, &["path"])?;
            ::core::result::Result::Ok(Self {
                path: __members.read(0usize)?,
            })
        }
        fn keys(&self) -> __ddd::Keys {
            #[allow(unused_variables)]
            let Self { path } = self;
            __ddd::Keys::new(__ddd::unique_by_params(self), ::core::option::Option::None)
        }
    }
    #[automatically_derived]
    impl<'de> __ddd::serde::Deserialize<'de> for hash {
        fn deserialize<D: __ddd::serde::Deserializer<'de>>(
            it: D,
        ) -> ::core::result::Result<Self, D::Error> {
            let (__value0,) = __ddd::fields(it, "hash", &["path"])?;
            ::core::result::Result::Ok(Self { path: __value0 })
        }
    }
    #[automatically_derived]
    impl ::core::fmt::Debug for hash {
        #[inline]
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            __ddd::debug(self, "hash", f)
        }
    }
    fn __run(__call: __ddd::Call) -> __ddd::BodyResult {
        use __ddd::{ByKind as _, ByNothing as _, ByText as _};
        let __params = match <hash as __ddd::Task>::from_params(__call.params()) {
            ::core::result::Result::Ok(it) => it,
            ::core::result::Result::Err(failure) => {
                return ::core::result::Result::Err(failure.into());
            }
        };
        let __dependency0 = match __call.dependency::<Pool>() {
            ::core::result::Result::Ok(it) => it,
            ::core::result::Result::Err(failure) => {
                return ::core::result::Result::Err(failure.into());
            }
        };
        __ddd::settle(
            hash(__params.path, &__dependency0),
            (&&__ddd::ErrorTag::<<() as __ddd::TaskReturn>::Error>::new()).convert(),
        )
    }
};
