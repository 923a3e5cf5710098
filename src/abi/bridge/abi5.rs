//! What the core is told by a client of libotr 4.

use crate::abi::types::{OtrlPolicy, POLICY_ALLOW_V3};
use crate::wire::query::QueryForm;

/// The form of our query messages.
pub const QUERY_FORM: QueryForm = QueryForm::Libotr4;

/// Whether a policy allows version 3.
pub fn allows_v3(bits: OtrlPolicy) -> bool {
    bits & POLICY_ALLOW_V3 != 0
}
