//! The command line as a user meets it: one file per subcommand.

mod doctor_volume;
