//! Worker files: YAML to a resolved and checked [`Worker`](crate::core::model::spec::Worker).
