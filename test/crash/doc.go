// Package crash tries to break vaults: a file system that fails, power loss,
// killed processes, damaged files, full disks, limits, and everything at once.
// docs/campaign.md says what each part does and what it came to.
//
// The tests run in a short form. With -campaign.long they run in their long
// form, and print a table of what they have tried:
//
//	go test -C test/crash -timeout 0 -campaign.long
//
// An operation of the script is a line in script_test.go, and all parts do it.
package crash
