// Package scan computes over whole columns, or slices of them: sums, extremes,
// quantiles, groups, and where the elements are that one looks for.
//
//	day := scan.Of(temps).Slice(-24, columnvault.End)
//	mean, err := scan.Mean(ctx, day)
//
// A [Source] says what is read: [Of] a column, [OfNull] of one whose elements
// may be missing, [Map] of either, with a function of each element. A column of
// times is opened as its numbers, with [dtype.Int64] or
// dtype.Nullable(dtype.Int64). Columns that were opened by their name alone have
// [Float64s] and [DescribeAny].
//
// Missing elements and NaN are skipped, and count for nothing.
//
// Each call reads one snapshot, or the transaction that its columns are part of
// (see [columnvault.Column.In]), elements that caches hold included. It reads
// forward, in stretches that fit the processor's cache, and allocates nothing for
// an element; what it takes beside the result is bounded and said where it is
// more than a mebibyte. [Sum], [Mean], [Describe] and [Nearest] read long columns with
// as many goroutines as there are processors, at most four, each with a connection of
// its own; results do not depend on how many they are. What the [columnvault.Bounds] of a native column answer is
// not read; they are trusted, and a full Check looks whether they are true. When
// ctx ends, so does the call. Errors are of the type [columnvault.Error].
package scan
