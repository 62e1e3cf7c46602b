// Package feed writes columns of a vault as a table of Apache Iceberg, which
// Spark, DuckDB and others read by its directory, without a catalog and without
// us. A run adds the rows that have come since the last one.
//
//	result, err := feed.Iceberg(ctx, v, []string{"day", "temp"}, "/data/weather", nil)
//
// It is a module of its own, so that nobody else pays for the library of
// Iceberg.
//
// # What a run does
//
// All of it is read at one moment of the vault. Rows that the table has are
// compared with what was written, by a digest; new ones go to data files, and one
// commit makes them part of the table. Readers see the table as it was before or
// as it is after. With the commit the table gets the number of rows and the
// digests, in properties that begin with "columnvault.", so that the next run
// knows where to go on. After a run that was killed the table is as it was, and
// the next one does the same work again; data files that are left over belong to
// no snapshot, and no reader sees them.
//
// # Memory
//
// A row group of 64 MiB and what [exchange.Export] holds, however many rows there
// are.
package feed
