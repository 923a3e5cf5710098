//! What the core is told by a client of libotr 3.2.

use crate::abi::types::OtrlPolicy;
use crate::wire::query::QueryForm;

/// The form of our query messages.
pub const QUERY_FORM: QueryForm = QueryForm::Libotr3;

/// Whether a policy allows version 3: there is no such policy.
pub fn allows_v3(_bits: OtrlPolicy) -> bool {
    false
}
