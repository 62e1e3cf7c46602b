// Package sqlite is the storage engine on a SQLite file: the only importer of
// the driver, and the only place that knows SQL, connections and file names.
//
// One connection writes, behind a lock that one transaction holds at a time;
// others read, each with a snapshot of its own. The file is in WAL mode, so
// readers never wait for the writer nor the writer for readers, in this
// process or in others.
//
// Chunks are read and written through incremental BLOB handles, which touch
// only the pages of the range asked for. A handle is positioned by walking the
// chunk's page chain, so a transaction keeps its handles open (see blobs).
package sqlite
