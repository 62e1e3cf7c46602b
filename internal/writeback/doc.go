// Package writeback holds what a vault has accepted and not yet written: the
// elements and pairs of write-back caches.
//
// A [Buffer] belongs to one vault. It knows nothing of that vault: it hands out
// what has to be written, is told what became of it, and calls back when it is
// full or old. Three rules govern it:
//
//   - What is held for a column belongs to that column, by the ID of its row in
//     the catalog, and never to its name. A rename takes it along, and a new
//     column of the same name never gets it.
//   - Held elements follow what is in the file. Every transaction that writes
//     begins by writing them, so the order in which calls returned is the order
//     on disk. Where that is not possible, because flushing is paused or the
//     column is gone, the columns and tables concerned are closed to that
//     transaction ([Flush.Blocked]); all others go on.
//   - A reader sees an element once: in the file or in memory. A flush shuts a
//     gate from before its commit until its elements have left memory, and a
//     [Reading] takes its snapshot and what is held inside that gate.
package writeback
