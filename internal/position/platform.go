//go:build 386 || arm || mips || mipsle || wasm

package position

// Positions are ints and files have offsets of 64 bits, and with addresses of
// 32 bits the SQLite engine ends in ordinary use, at 32 MB of memory. The
// compiler says so, rather than the first large column.
var _ = columnvault_needs_a_64_bit_platform_because_positions_are_ints_and_files_have_64_bit_offsets
