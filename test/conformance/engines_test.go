package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/engine"
	"columnvault/internal/store"
	"columnvault/internal/vaulttest"
)

// aboutChunks are tests of how full the chunks of layout 0 are.
var aboutChunks = []string{"SetSliceOverTwoChunksLeavesNeighbors", "SmallAppendsFillOneChunk", "SetThatOverfillsAChunk"}

// TestOnOtherEngines runs the tests that are about no file, and whose functions
// may run twice, over other engines and over native columns. What takes long is left out.
func TestOnOtherEngines(t *testing.T) {
	engines := vaulttest.Engines()
	engines["native"] = engine.Open
	engines["native rerun"] = engines["rerun sqlite"]
	for name, on := range engines {
		t.Run(name, func(t *testing.T) {
			vaulttest.Use(t, on)
			if strings.HasPrefix(name, "native") {
				vaulttest.UseNative(t)
			}
			for _, test := range []struct {
				name string
				run  func(*testing.T)
			}{
				{"LargeAppend", TestLargeAppend},
				{"BatchTakenWhole", TestBatchTakenWhole},
				{"BatchRefusedValue", TestBatchRefusedValue},
				{"BatchRefusesForeignRows", TestBatchRefusesForeignRows},
				{"BatchLimits", TestBatchLimits},
				{"DynamicChunksFixedExtend", TestDynamicChunksFixedExtend},
				{"DynamicChunksFixedRandomWrite", TestDynamicChunksFixedRandomWrite},
				{"DynamicChunksFixedInsert", TestDynamicChunksFixedInsert},
				{"DynamicChunksFixedDelete", TestDynamicChunksFixedDelete},
				{"DynamicChunksIteration", TestDynamicChunksIteration},
				{"DynamicChunksVarSizeExtend", TestDynamicChunksVarSizeExtend},
				{"DynamicChunksVarSizeEmptyAndLarge", TestDynamicChunksVarSizeEmptyAndLarge},
				{"DynamicChunksPersistence", TestDynamicChunksPersistence},
				{"DynamicChunksAddressing", TestDynamicChunksAddressing},
				{"VarSizeOperationsExtendRandomSizes", TestVarSizeOperationsExtendRandomSizes},
				{"VarSizeOperationsExtendMsgPackRandom", TestVarSizeOperationsExtendMsgPackRandom},
				{"VarSizeOperationsMixedAppendExtend", TestVarSizeOperationsMixedAppendExtend},
				{"VarSizeOperationsNestedMsgPack", TestVarSizeOperationsNestedMsgPack},
				{"VarSizeOperationsInsert", TestVarSizeOperationsInsert},
				{"ColumnarBasic", TestColumnarBasic},
				{"ColumnarTypes", TestColumnarTypes},
				{"ColumnarIteration", TestColumnarIteration},
				{"ColumnarSetItem", TestColumnarSetItem},
				{"ColumnarDelItem", TestColumnarDelItem},
				{"ColumnarInsert", TestColumnarInsert},
				{"ColumnarExtend", TestColumnarExtend},
				{"ColumnarExtendRefuses", TestColumnarExtendRefuses},
				{"ColumnarClear", TestColumnarClear},
				{"ColumnarEnsure", TestColumnarEnsure},
				{"ColumnarListColumns", TestColumnarListColumns},
				{"ColumnarDeleteColumn", TestColumnarDeleteColumn},
				{"ColumnarOutOfBounds", TestColumnarOutOfBounds},
				{"ColumnarColumnNotFound", TestColumnarColumnNotFound},
				{"ColumnarVarSize", TestColumnarVarSize},
				{"ColumnarVarSizeAgainstFixedSize", TestColumnarVarSizeAgainstFixedSize},
				{"KVTables", TestKVTables},
				{"KVAutoPack", TestKVAutoPack},
				{"SlicingFixed", TestSlicingFixed},
				{"SlicingStep", TestSlicingStep},
				{"SlicingLarge", TestSlicingLarge},
				{"SlicingVarSize", TestSlicingVarSize},
				{"SlicingIteration", TestSlicingIteration},
				{"SlicingEmptyColumn", TestSlicingEmptyColumn},
				{"SlicingEqualsElementByElement", TestSlicingEqualsElementByElement},
				{"SetItemRefuses", TestSetItemRefuses},
				{"SetItemMsgPack", TestSetItemMsgPack},
				{"StructuredMsgPack", TestStructuredMsgPack},
				{"StructuredGoTypes", TestStructuredGoTypes},
				{"StructuredCBOR", TestStructuredCBOR},
				{"StructuredText", TestStructuredText},
				{"StructuredColumnsSideBySide", TestStructuredColumnsSideBySide},
				{"StructuredPersistence", TestStructuredPersistence},
				{"StructuredEdges", TestStructuredEdges},
				{"StructuredDTypes", TestStructuredDTypes},
				{"StructuredInvalidDType", TestStructuredInvalidDType},
				{"StatCountsPendingRows", TestStatCountsPendingRows},
				{"CacheCopiesValues", TestCacheCopiesValues},
				{"CacheOptionsWithoutSenseAreRefused", TestCacheOptionsWithoutSenseAreRefused},
				{"CacheIsSharedByAllHandles", TestCacheIsSharedByAllHandles},
				{"CachedValuesAreRefusedAtOnce", TestCachedValuesAreRefusedAtOnce},
				{"OverlappingCachedRestoresTheCache", TestOverlappingCachedRestoresTheCache},
				{"CacheFollowsName", TestCacheFollowsName},
				{"LookupsInVainLeaveNothing", TestLookupsInVainLeaveNothing},
				{"TwoHandlesAppendInTurn", TestTwoHandlesAppendInTurn},
				{"CachedEmptyValuesAreWritten", TestCachedEmptyValuesAreWritten},
				{"EnableCacheTwiceKeepsRows", TestEnableCacheTwiceKeepsRows},
				{"CachedElementsAreRead", TestCachedElementsAreRead},
				{"SetSliceOverTwoChunksLeavesNeighbors", TestSetSliceOverTwoChunksLeavesNeighbors},
				{"VectorsOfAnotherShapeAreRefused", TestVectorsOfAnotherShapeAreRefused},
				{"SmallAppendsFillOneChunk", TestSmallAppendsFillOneChunk},
				{"DeleteSlicesAndInsertVarSize", TestDeleteSlicesAndInsertVarSize},
				{"SetThatOverfillsAChunk", TestSetThatOverfillsAChunk},
				{"NamesAreUsedOnce", TestNamesAreUsedOnce},
				{"EnsureRefusesAnotherDType", TestEnsureRefusesAnotherDType},
				{"NumbersUnderKeysComeBack", TestNumbersUnderKeysComeBack},
				{"CachedKeysAreFoundAndDeleted", TestCachedKeysAreFoundAndDeleted},
				{"PrefixFindsKeysThatGoOnWithFF", TestPrefixFindsKeysThatGoOnWithFF},
				{"BytesThatLookLikeAHeaderComeBack", TestBytesThatLookLikeAHeaderComeBack},
				{"CacheDiscardDuringFlush", TestCacheDiscardDuringFlush},
				{"PauseFlushStopsTheTimer", TestPauseFlushStopsTheTimer},
				{"GroupIsDurable", TestGroupIsDurable},
				{"GroupCanceled", TestGroupCanceled},
				{"KVReadsFindPendingPairs", TestKVReadsFindPendingPairs},
				{"KVCachedTablesAreApart", TestKVCachedTablesAreApart},
				{"KVFullCacheRefusesPairs", TestKVFullCacheRefusesPairs},
				{"KVCachedViewIsOneMoment", TestKVCachedViewIsOneMoment},
				{"BlobRanges", TestBlobRanges},
				{"BlobConcurrent", TestBlobConcurrent},
				{"BlobWriteToFails", TestBlobWriteToFails},
				{"GetToFile", TestGetToFile},
				{"ErrorsOfFilesHaveKinds", TestErrorsOfFilesHaveKinds},
				{"ValueComesBackFromEveryEncoding", TestValueComesBackFromEveryEncoding},
				{"ValueRefused", TestValueRefused},
				{"ValueMisfits", TestValueMisfits},
				{"BackwardOverEmptyElements", TestBackwardOverEmptyElements},
				{"RunsStayWithinTheBuffer", TestRunsStayWithinTheBuffer},
				{"NegativeAgeNeverEndsAView", TestNegativeAgeNeverEndsAView},
				{"FirstSnapshotIsNotTooOld", TestFirstSnapshotIsNotTooOld},
				{"VacuumBesideAnOpenVault", TestVacuumBesideAnOpenVault},
				{"ViewIsOneMoment", TestViewIsOneMoment},
				{"NestedTwoVaults", TestNestedTwoVaults},
				{"EndedTransactionIsRefused", TestEndedTransactionIsRefused},
				{"CanceledCallsChangeNothing", TestCanceledCallsChangeNothing},
				{"CanceledLoopEnds", TestCanceledLoopEnds},
				{"WaitEndsWithCtx", TestWaitEndsWithCtx},
				{"LoopIsOneMoment", TestLoopIsOneMoment},
				{"ClosedVaultRefusesEverything", TestClosedVaultRefusesEverything},
				{"TwoVaultsSeeEachOther", TestTwoVaultsSeeEachOther},
				{"TwoVaultsFollowARecreatedColumn", TestTwoVaultsFollowARecreatedColumn},
				{"UpdateIsTheOnlyWriter", TestUpdateIsTheOnlyWriter},
				{"ViewNeverSeesHalf", TestViewNeverSeesHalf},
				{"BatchNeverSplit", TestBatchNeverSplit},
				{"UpdateReadsBesideItself", TestUpdateReadsBesideItself},
				{"TablesAreListed", TestTablesAreListed},
			} {
				if engine.Layout == store.LayoutNative && slices.Contains(aboutChunks, test.name) {
					continue
				}
				t.Run(test.name, func(t *testing.T) {
					if reason := onServers[test.name]; name == "postgres" && reason != "" {
						t.Skip(reason)
					}
					test.run(t)
				})
			}
		})
	}
}

// onServers says where a server does otherwise, and why.
var onServers = map[string]string{
	"SmallAppendsFillOneChunk": "chunks begin with their full capacity, because bytes that were never written take no room",
	"FirstSnapshotIsNotTooOld": "a snapshot ends at its age whether or not somebody has written",
}

// TestUpdateReadsBesideItself: the function of an Update can read what is
// committed, also when it is run again.
func TestUpdateReadsBesideItself(t *testing.T) {
	ctx := vaulttest.Soon(t)
	v := vaulttest.Open(t)
	c := vaulttest.Create(t, v, "values", dtype.Int64, 1)
	vaulttest.Must(t, v.EnableCache(ctx, nil))
	vaulttest.Must(t, c.Append(ctx, 2))
	vaulttest.Must(t, v.Update(ctx, func(_ context.Context, tx *columnvault.Tx) error {
		_, err := c.Len(ctx)
		return errors.Join(err, c.In(tx).Append(ctx, 3))
	}))
	vaulttest.WantColumn(t, c, 1, 2, 3)
}

// TestLostAnswers: over an engine that stores everything and loses the answers
// of some commits, each call stores what it should once, and says so where the
// outcome is unknown.
func TestLostAnswers(t *testing.T) {
	for _, cached := range []bool{false, true} {
		t.Run(fmt.Sprint("cached: ", cached), func(t *testing.T) {
			ctx := t.Context()
			vaulttest.Use(t, vaulttest.Lossy(3))
			v := vaulttest.Open(t)
			c, err := columnvault.Ensure(ctx, v, "values", dtype.Int64, nil)
			vaulttest.Must(t, err)
			if cached {
				vaulttest.Must(t, v.EnableCache(ctx, vaulttest.CacheOf(1000, 100)))
			}
			unknown := 0
			try := func(err error) {
				if errors.Is(err, columnvault.ErrUnknownCommit) {
					vaulttest.WantErr(t, "a lost answer", err, columnvault.ErrUnknownCommit)
					unknown++
					return
				}
				vaulttest.Must(t, err)
			}
			const times = 100
			for n := range int64(times) {
				try(c.Append(ctx, 2*n))
				try(v.KV().Put(ctx, fmt.Append(nil, n), nil))
				try(v.Update(ctx, func(_ context.Context, tx *columnvault.Tx) error { return c.In(tx).Append(ctx, 2*n+1) }))
				try(vaulttest.ErrOf(v.Flush(ctx)))
			}
			vaulttest.WantColumn(t, c, vaulttest.Span(0, 2*times)...)
			if n, err := v.KV().Len(ctx); n != times || err != nil {
				t.Errorf("%d pairs, %v, want %d", n, err, times)
			}
			if unknown < times/3 {
				t.Errorf("%d calls say that their outcome is unknown", unknown)
			}
		})
	}
}
