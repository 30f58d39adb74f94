/// Renders an invoice.
#[doc = include_str!("more.md")]
#[cfg(feature = "invoices")]
pub(crate) async fn render_invoice(
    invoice: String,
    mut tenant: String,
    storage: Storage,
    templates: &Templates,
    context: TaskContext,
) -> Result<Rendered, RenderError> {
    storage.render(invoice, templates).await
}
#[cfg(feature = "invoices")]
/// Renders an invoice.
#[doc = include_str!("more.md")]
#[derive(
    ::ddd_core::__private::serde::Serialize,
    ::ddd_core::__private::serde::Deserialize,
    ::ddd_core::__private::schemars::JsonSchema
)]
#[derive(::garde::Validate)]
#[garde(allow_unvalidated)]
#[serde(crate = "::ddd_core::__private::serde", deny_unknown_fields)]
#[schemars(crate = "::ddd_core::__private::schemars")]
#[allow(non_camel_case_types, missing_docs)]
pub(crate) struct RenderInvoice {
    #[serde(default)]
    #[garde(length(min = 1))]
    pub(crate) invoice: String,
    #[serde(default, rename = "customer")]
    #[schemars(extend("writeOnly" = true))]
    pub(crate) tenant: String,
}
#[cfg(feature = "invoices")]
#[allow(deprecated)]
const _: () = {
    use ::ddd_core::__private as __ddd;
    static __TASK: __ddd::Definition = __ddd::definition::<
        RenderInvoice,
    >(
        "render_invoice",
        ::core::concat!("Renders an invoice.", "\n", include_str!("more.md"), "\n"),
        (::core::module_path!(), ::core::file!(), ::core::line!()),
        __ddd::Options::DEFAULT
            .queue("documents")
            .priority(__ddd::Priority::clamped(-5i8))
            .timeout(::core::time::Duration::from_secs(300u64))
            .retry(
                __ddd::Retry::attempts(5u32)
                    .delay(::core::time::Duration::from_secs(1u64))
                    .backoff(2f64)
                    .max_delay(::core::time::Duration::from_secs(3600u64))
                    .jitter(true),
            )
            .unique(__ddd::Until::Elapsed(::core::time::Duration::from_secs(3600u64)))
            .concurrency(2u32)
            .result_ttl(::core::time::Duration::from_millis(250u64))
            .schedule(__ddd::ScheduleOption::Cron {
                expression: "0 3 * * *",
                time_zone: "Europe/Berlin",
            })
            .version(2u32)
            .category("billing")
            .tags(&["a", "b"])
            .internal(true),
        __ddd::Body::Async(__run),
        __ddd::check::<RenderInvoice>,
        &[
            __ddd::Dependency::of::<Storage>("storage"),
            __ddd::Dependency::of::<Templates>("templates"),
            __ddd::Dependency::of::<TaskContext>("context"),
        ],
        &["customer"],
    );
    __ddd::inventory::submit! {
        __ddd::Registration::new(& __TASK)
    }
    #[automatically_derived]
    impl __ddd::Task for RenderInvoice {
        type Output = <Result<Rendered, RenderError> as __ddd::TaskReturn>::Output;
        #[inline]
        fn definition() -> &'static __ddd::Definition {
            &__TASK
        }
        fn validate(&self) -> ::core::result::Result<(), __ddd::InvalidParams> {
            ::garde::Validate::validate(self)
                .map_err(|report| __ddd::first_violation(report.iter()))
        }
        fn keys(&self) -> __ddd::Keys {
            #[allow(unused_variables)]
            let Self { invoice, tenant } = self;
            __ddd::Keys::new(__ddd::key(&(invoice, tenant)), __ddd::key(&tenant))
        }
    }
    #[automatically_derived]
    impl ::core::fmt::Debug for RenderInvoice {
        #[inline]
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            __ddd::debug(self, "RenderInvoice", f)
        }
    }
    fn __run(__call: __ddd::Call) -> __ddd::BodyFuture {
        use __ddd::{ByKind as _, ByNothing as _, ByText as _};
        let __params = match <RenderInvoice as __ddd::Task>::from_params(
            __call.params(),
        ) {
            ::core::result::Result::Ok(it) => it,
            ::core::result::Result::Err(failure) => return __ddd::failed(failure),
        };
        let __dependency0 = match __ddd::injected::<Storage>(&__call) {
            ::core::result::Result::Ok(it) => it,
            ::core::result::Result::Err(failure) => return __ddd::failed(failure),
        };
        let __dependency1 = match __call.dependency::<Templates>() {
            ::core::result::Result::Ok(it) => it,
            ::core::result::Result::Err(failure) => return __ddd::failed(failure),
        };
        let __dependency2 = match __ddd::injected::<TaskContext>(&__call) {
            ::core::result::Result::Ok(it) => it,
            ::core::result::Result::Err(failure) => return __ddd::failed(failure),
        };
        __ddd::boxed(
            async move {
                render_invoice(
                        __params.invoice,
                        __params.tenant,
                        __dependency0,
                        &__dependency1,
                        __dependency2,
                    )
                    .await
            },
            (&&__ddd::ErrorTag::<
                <Result<Rendered, RenderError> as __ddd::TaskReturn>::Error,
            >::new())
                .convert(),
        )
    }
};
