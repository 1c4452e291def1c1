//! The numbers of errors that a run meets, by what they mean. Source: SQL Server's `sys.messages`, and the lists of passing errors
//! that Azure SQL's documents and Microsoft's own clients have.

use crate::adapters::faults::{Known, Sort};

/// Each number once.
pub const TABLE: &[Known<u32>] = &[
    Known::new(
        &[64, 233, 596, 6005, 10053, 10054, 10060, 17142, 17197, 18401, 42108, 42109],
        Sort::Passing,
        "the connection or the server went; a run tries again by itself",
    ),
    Known::new(
        &[921, 922, 924, 927, 952, 954, 976, 978, 982, 983, 988, 40197, 40540, 40544, 40613, 41305, 41325, 49983],
        Sort::Passing,
        "the database starts, moves or is shut for a moment; a run tries again by itself",
    ),
    Known::new(
        &[601, 1204, 1205, 1222, 4221],
        Sort::Passing,
        "a lock or a moving table ended the read; a run tries again by itself",
    ),
    Known::new(
        &[701, 802, 8628, 8645, 8651, 10928, 10929, 10936, 40143, 40501, 40549, 49918, 49919, 49920],
        Sort::Passing,
        "the server has no room now; a run tries again by itself",
    ),
    Known::new(&[229, 230], Sort::Denied, "GRANT SELECT on the view to this login"),
    Known::new(
        &[297, 300, 916],
        Sort::Denied,
        "GRANT this login what it needs, at least CONNECT and SELECT on the view",
    ),
    Known::new(&[911, 4060, 4064], Sort::Denied, "check Database in the address, and that this login may open it"),
    Known::new(&[942], Sort::Denied, "have the database set online (ALTER DATABASE … SET ONLINE)"),
    Known::new(&[18450, 18451, 18452, 18456, 18458], Sort::Denied, "check User Id and Password"),
    Known::new(
        &[18463, 18464, 18465, 18466, 18467, 18468, 18487, 18488],
        Sort::Denied,
        "give the login a new password",
    ),
    Known::new(&[18470, 18486], Sort::Denied, "have the login enabled or unlocked"),
    Known::new(&[40532, 40615, 40914], Sort::Denied, "check the server's name and its firewall"),
    Known::new(
        &[102, 105, 137, 156, 170, 195, 206, 207, 208, 209, 402, 4104, 4121, 4145, 4413, 8116],
        Sort::Statement,
        "check the view, and each `where`",
    ),
    Known::new(&[306], Sort::Statement, "choose another key, or CAST the column in the view"),
    Known::new(
        &[3952],
        Sort::Statement,
        "allow it (ALTER DATABASE … SET ALLOW_SNAPSHOT_ISOLATION ON), or leave out `isolation: snapshot`",
    ),
    Known::new(
        &[220, 232, 8115],
        Sort::Failed,
        "a control total or a value is wider than its type: CAST it in the view to a wider one",
    ),
    Known::new(
        &[241, 242, 245, 248, 512, 537, 8114, 8134, 9420, 9807],
        Sort::Failed,
        "an expression of the view, or of a `where`, does not work for one of the rows: mend the row or the expression",
    ),
    Known::new(
        &[1101, 1105, 9002],
        Sort::Failed,
        "the server's disk or a file group is full: make room there, or give the key an index so that nothing is sorted",
    ),
    Known::new(&[823, 824, 825], Sort::Failed, "the server cannot read its own files: run DBCC CHECKDB"),
];

#[cfg(test)]
mod tests {
    #[test]
    fn each_number_stands_once_and_has_advice() {
        crate::adapters::faults::check(super::TABLE);
    }
}
