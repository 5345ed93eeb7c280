/// How the labels of the other vector files map onto ours.
///
/// `lcp-v0.1/*.json` uses the labels of `WireError.code` as they are. The rest tell more cases
/// apart than a receiver needs (which part was cut off, which of two types came twice), or name the
/// field in words; this is the one table that translates them.
package enum VectorLabels {
    /// `bigsize.json`, and the truncated integers of `tu.json` and `tlv.json` (there the code
    /// carries the field's name behind a colon).
    package static let numbers = [
        "not_canonical": "bigsize-not-minimal",
        "truncated": "truncated",
        "empty": "truncated",
        "not_minimal": "truncated-int",
        "too_long": "truncated-int",
    ]

    /// The framing errors of `tlv.json`.
    package static let framing = [
        "type_truncated": "truncated",
        "type_not_minimal": "bigsize-not-minimal",
        "length_missing": "truncated",
        "length_truncated": "truncated",
        "length_not_minimal": "bigsize-not-minimal",
        "value_missing": "truncated",
        "value_truncated": "truncated",
        "wrong_order": "type-order",
        "duplicate_type": "type-order",
    ]

    /// The errors inside values of `tlv.json`, as they are for a field called `value`.
    package static let values = [
        "truncated_int_not_minimal": "truncated-int:value",
        "value_too_long": "length:value",
        "value_too_short": "length:value",
    ]

    /// The errors of `lcp.json`, by the name of the case where one label stands for several.
    package static let lcp = [
        "wrong_order": "type-order",
        "duplicate_type": "type-order",
        "missing_msg_id": "missing-type-3",
        "job_id_31_bytes": "length:job_id",
        "version_one_byte": "length:protocol_version",
        "expiry_leading_zero": "truncated-int:expiry",
        "manifest_with_job_id": "job-scope-in-manifest",
        "empty_payload": "missing-type-1",
        "truncated_quote_request": "truncated",
        "error_code_zero": "required:code",
        "profile_missing": "missing-type-1",
        "profile_empty": "required:profile",
        "profile_not_utf8": "utf8:profile",
        "temperature_not_minimal": "truncated-int:temperature_milli",
        "max_output_tokens_too_long": "truncated-int:max_output_tokens",
        "count_missing": "truncated",
        "item_truncated": "bytes-list",
        "trailing_bytes": "bytes-list",
        "not_canonical": "bigsize-not-minimal",
    ]
}
