-- A small bank for trying filegen out: dbo.v_LoanData (1,000,000 rows) and dbo.v_CustomerData (200,000 rows), made up.
-- Safe to run again: what is there stays.
SET NOCOUNT ON;
IF DB_ID(N'bank') IS NULL CREATE DATABASE bank;
GO
ALTER DATABASE bank SET ALLOW_SNAPSHOT_ISOLATION ON;
ALTER DATABASE bank SET RECOVERY SIMPLE;
GO
USE bank;
GO
SET QUOTED_IDENTIFIER ON;
IF OBJECT_ID(N'dbo.Customer') IS NULL
BEGIN
  CREATE TABLE dbo.Customer (
    CustomerId bigint NOT NULL PRIMARY KEY, LastName nvarchar(60) NOT NULL, FirstName nvarchar(60) NOT NULL,
    BirthDate date NULL, Country char(2) NOT NULL, OpenedOn date NOT NULL, TaxId varchar(20) NOT NULL,
    BranchCode char(4) NOT NULL, IsActive bit NOT NULL);
  INSERT dbo.Customer
  SELECT value, CHOOSE(value % 5 + 1, N'Okafor', N'Nowak', N'M' + NCHAR(252) + N'ller', N'Garc' + NCHAR(237) + N'a', N'Smith'),
         CHOOSE(value % 4 + 1, N'Ada', N'Zo' + NCHAR(235), N'Luis', N'Mary'),
         CASE WHEN value % 50 <> 0 THEN DATEADD(day, value % 18000, '1955-01-01') END,
         CHOOSE(value % 3 + 1, 'US', 'DE', 'PL'), DATEADD(day, value % 7000, '2005-01-01'),
         CONCAT('T', FORMAT(value, '000000000')), FORMAT(value % 400, '0000'), IIF(value % 9 = 0, 0, 1)
  FROM GENERATE_SERIES(CAST(1 AS bigint), CAST(200000 AS bigint));
END;
IF OBJECT_ID(N'dbo.Loan') IS NULL
BEGIN
  CREATE TABLE dbo.Loan (
    LoanId bigint NOT NULL PRIMARY KEY, CustomerId bigint NOT NULL, Amount decimal(18, 2) NOT NULL,
    Balance decimal(18, 2) NOT NULL, StartDate date NOT NULL, Status varchar(20) NOT NULL, Grade char(1) NOT NULL,
    InterestRate decimal(9, 4) NOT NULL, TermMonths int NOT NULL, Installment decimal(18, 2) NOT NULL,
    Purpose nvarchar(60) NULL);
  INSERT dbo.Loan
  SELECT value, value % 200000 + 1, (value % 40000) + 1000.25, (value % 30000) + 0.75,
         DATEADD(day, value % 3000, '2016-01-01'), CHOOSE(value % 20 + 1, 'Late', 'Default', 'Paid', 'Paid',
         'Current', 'Current', 'Current', 'Current', 'Current', 'Current', 'Current', 'Current', 'Current', 'Current',
         'Current', 'Current', 'Current', 'Current', 'Current', 'Current'),
         CHOOSE(value % 4 + 1, 'A', 'B', 'C', 'D'), 0.0250 + (value % 900) / 10000.0,
         CHOOSE(value % 3 + 1, 36, 60, 360),
         (value % 900) + 99.90, CASE WHEN value % 7 <> 0 THEN N'Car, house or caf' + NCHAR(233) END
  FROM GENERATE_SERIES(CAST(1 AS bigint), CAST(1000000 AS bigint));
END;
GO
CREATE OR ALTER VIEW dbo.v_LoanData AS
SELECT LoanId, CustomerId, Amount, Balance, StartDate, Status, Grade, InterestRate, TermMonths, Installment, Purpose
FROM dbo.Loan;
GO
CREATE OR ALTER VIEW dbo.v_CustomerData AS
SELECT CustomerId, LastName, FirstName, BirthDate, Country, OpenedOn, TaxId, BranchCode, IsActive
FROM dbo.Customer;
GO
-- filegen reads two views, and nothing else.
IF SUSER_ID(N'filegen') IS NULL CREATE LOGIN filegen WITH PASSWORD = N'Try-it-out-1', DEFAULT_DATABASE = bank;
IF USER_ID(N'filegen') IS NULL CREATE USER filegen FOR LOGIN filegen;
GRANT SELECT ON dbo.v_LoanData TO filegen;
GRANT SELECT ON dbo.v_CustomerData TO filegen;
GO
