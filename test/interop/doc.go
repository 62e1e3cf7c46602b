// Package interop holds the tests in which this project and the Python package
// KohakuVault take turns on one file, and one with Litestream. The turns need a
// Python with that package:
//
//	./venv.sh /some/folder
//	COLUMNVAULT_PYTHON=/some/folder/bin/python go test ./test/interop
//
// Without COLUMNVAULT_PYTHON they are skipped. COLUMNVAULT_PYTHON_1X names
// another one, with KohakuVault 1.x, for the tests of what it sees:
//
//	./venv.sh /other/folder 1.1.0
//
// The tests of Parquet, Arrow and NumPy files need a Python with the programs
// that read and write these, whose path COLUMNVAULT_PYTHON_FORMATS has:
//
//	./venv_formats.sh /third/folder
//
// The test with Litestream is skipped unless COLUMNVAULT_LITESTREAM, or the
// PATH, has the program, which
//
//	go install github.com/benbjohnson/litestream/cmd/litestream@v0.5.18
//
// builds in some minutes.
package interop
