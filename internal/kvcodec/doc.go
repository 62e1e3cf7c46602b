// Package kvcodec turns Go values into the bytes that lie under the keys of a
// key-value table, and back. The bytes are those of KohakuVault 0.8.6, which
// stores values by themselves or behind a header of ten bytes that names their
// encoding; docs/format.md describes them under "Key-value tables".
//
// The package knows nothing of vaults, transactions or storage. The kinds of
// its errors are those of package store and of package dtype.
package kvcodec
