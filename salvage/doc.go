// Package salvage reads what is readable from the file of a vault that is
// damaged, also one that SQLite refuses to open, and writes it to a new vault.
//
// [File] goes through the file page by page, without SQLite, and saves columns
// element by element and tables pair by pair. What cannot be read is in the
// [Report], by column and range. The damaged file is never written to.
//
//	report, err := salvage.File(ctx, "damaged.db", "saved.db", salvage.Options{})
//
// docs/salvage.md says what can be saved after which damage, and what nobody can
// see: a file has no checksums, so a byte of a value that has changed, without
// harm to what is around it, is taken for what was written.
package salvage
