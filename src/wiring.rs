//! Config to adapters behind ports; alone sees both.
