//! What generated code asks of the types of a function with policies: what its values mean, and whether its policies can
//! refuse a call, keep a value or run the body again. The complaints of the compiler about them are written here.

mod judge;
mod keys;
mod refusable;
mod repeat;
mod rules;
mod shape;
mod shared;

pub use judge::{JudgeByError, JudgeByKind, JudgeByUser, JudgeOfAny, JudgeOfClassified, JudgeOfResult};
pub use keys::{CacheKey, CacheKeyOf, LentKey, LimitKey, Of, limit_key};
pub use refusable::{MadeOfRefusal, Refusable, never_refused, refusable};
pub use repeat::{HasError, Repeatable, again, needs_result};
pub use rules::{
    AnyRules, CacheValue, OptionRules, ResultRules, RulesOfAny, RulesOfKnown, RulesOfShared, SharedRules, StoreIf,
    Weigh,
};
pub use shape::Shape;
pub use shared::{Addressed, Codec, Coded, CodedRules, SharedCacheKey, SharedCacheValue, codec};
