/// Counts words.
#[task]
pub async fn count_words(text: String) -> Result<usize, io::Error> {
    Ok(text.split_whitespace().count())
}
/// Counts words.
#[derive(
    ::ddd_core::__private::serde::Serialize,
    ::ddd_core::__private::schemars::JsonSchema
)]
#[serde(crate = "::ddd_core::__private::serde", deny_unknown_fields)]
#[schemars(crate = "::ddd_core::__private::schemars")]
#[allow(non_camel_case_types, missing_docs)]
pub struct count_words {
    /// The text.
    pub text: String,
}
#[allow(deprecated)]
const _: () = {
    use ::ddd_core::__private as __ddd;
    static __TASK: __ddd::Definition = __ddd::definition::<
        count_words,
    >(
        "count_words",
        "Counts words.",
        (::core::module_path!(), ::core::file!(), ::core::line!()),
        __ddd::Options::DEFAULT,
        __ddd::Body::Async(__run),
        __ddd::check_shape::<count_words>,
        &[],
        &[],
    );
    __ddd::inventory::submit! {
        __ddd::Registration::new(& __TASK)
    }
    #[automatically_derived]
    impl __ddd::Task for count_words {
        type Output = <Result<usize, io::Error> as __ddd::TaskReturn>::Output;
        #[inline]
        fn definition() -> &'static __ddd::Definition {
            &__TASK
        }
        fn from_params(
            params: &__ddd::RawValue,
        ) -> ::core::result::Result<Self, __ddd::InvalidParams> {
            let __members = __ddd::members(params, &["text"])?;
            ::core::result::Result::Ok(Self {
                text: __members.read(0usize)?,
            })
        }
    }
    #[automatically_derived]
    impl<'de> __ddd::serde::Deserialize<'de> for count_words {
        fn deserialize<D: __ddd::serde::Deserializer<'de>>(
            it: D,
        ) -> ::core::result::Result<Self, D::Error> {
            let (__value0,) = __ddd::fields(it, "count_words", &["text"])?;
            ::core::result::Result::Ok(Self { text: __value0 })
        }
    }
    #[automatically_derived]
    impl ::core::fmt::Debug for count_words {
        #[inline]
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            __ddd::debug(self, "count_words", f)
        }
    }
    fn __run(__call: __ddd::Call) -> __ddd::BodyFuture {
        use __ddd::{ByKind as _, ByNothing as _, ByText as _};
        let __params = match <count_words as __ddd::Task>::from_params(__call.params()) {
            ::core::result::Result::Ok(it) => it,
            ::core::result::Result::Err(failure) => return __ddd::failed(failure),
        };
        __ddd::boxed(
            count_words(__params.text),
            (&&__ddd::ErrorTag::<
                <Result<usize, io::Error> as __ddd::TaskReturn>::Error,
            >::new())
                .convert(),
        )
    }
};
