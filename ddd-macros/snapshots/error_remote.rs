::core::compile_error! {
    "`timeout` may not be zero; write `timeout = \"5m\"`"
}
#[allow(non_camel_case_types, missing_docs, dead_code)]
pub struct render {
    pub invoice: Invoice,
}
