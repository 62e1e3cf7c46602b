package salvage

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"columnvault/internal/sqlitefile"
)

// object is a row of the schema: a table or an index, and the trees that belong
// to it.
type object struct {
	name, table string
	role        role
	root        uint32
	trees       []sqlitefile.Tree
	// stray are trees that nothing led to and that seem to belong to it.
	stray []sqlitefile.Tree
	// keys is the index over the keys of a table of pairs, if there is one.
	keys *object
	// read says that its rows were read, and the chains of their pages followed.
	read bool
}

// lost tells whether pages of it are missing.
func (o *object) lost() bool {
	return len(o.trees) == 0 || slices.ContainsFunc(o.trees, func(t sqlitefile.Tree) bool { return t.Lost > 0 })
}

// survey is what the file has.
type survey struct {
	f       *sqlitefile.File
	objects []*object
	// torn says that a part of the schema is missing.
	torn bool
	// loose are trees of pairs that may belong to more than one table, and keys
	// those of indexes over keys of which the table is not known.
	loose, keys []sqlitefile.Tree
}

// isPairs is the statement that creates a table of pairs, in all its spellings.
var isPairs = regexp.MustCompile(`(?is)^\s*create\s+table\s.*\(\s*"?key"?\s+blob\s+primary\s+key(\s+not\s+null)?\s*,\s*"?value"?\s+blob(\s+not\s+null)?\s*\)(\s*without\s+rowid)?\s*$`)

// maxObjects is how many tables and indexes a file can have.
const maxObjects = 10_000

// maxSQL is the longest statement, in bytes, that is looked at.
const maxSQL = 1 << 20

// look follows all trees of the file, and then looks for those that nothing
// leads to.
func look(f *sqlitefile.File) *survey {
	s := &survey{f: f}
	schema := f.Tree(1)
	s.torn = schema.Lost > 0 || schema.Index
	s.readSchema(schema)
	for _, o := range s.objects {
		s.follow(o)
		s.recognize(o)
	}
	orphans := f.Orphans()
	var rest []sqlitefile.Tree
	known := len(s.objects)
	for _, t := range orphans {
		if s.torn && roleOf(f, t) == roleSchema {
			s.readSchema(t)
		} else {
			rest = append(rest, t)
		}
	}
	found := s.objects[known:len(s.objects):len(s.objects)]
	roots := map[uint32]*object{}
	for _, o := range s.objects {
		roots[o.root] = o
	}
	for _, t := range rest {
		s.assign(t, roots)
	}
	for _, o := range found {
		if len(o.trees) == 0 {
			s.follow(o) // the root is not there, and that counts as a loss
		}
		s.recognize(o)
	}
	s.pairKeys()
	return s
}

// follow reads the tree of an object. Views and virtual tables have none.
func (s *survey) follow(o *object) {
	if o.root > 0 {
		o.trees = append(o.trees, s.f.Tree(o.root))
	}
}

// recognize gives a table a role by its rows whose name or statement gives it
// none: these may be damaged.
func (s *survey) recognize(o *object) {
	if o.role != other || !o.isTable() || len(o.trees) == 0 {
		return
	}
	switch shape := roleOf(s.f, o.trees[0]); shape {
	case roleColumns, roleChunks, roleBlockColumns, roleBlocks, roleBlockData:
		if !slices.ContainsFunc(s.objects, func(o *object) bool { return o.role == shape }) {
			o.role = shape
		}
	case rolePairs:
		o.role = shape
	}
}

// isTable tells a table from all else that the schema has.
func (o *object) isTable() bool { return o.root > 0 && strings.EqualFold(o.name, o.table) }

// readSchema reads rows of the schema.
func (s *survey) readSchema(t sqlitefile.Tree) {
	for _, page := range t.Pages {
		bad := s.f.Rows(page, func(r *sqlitefile.Row) bool {
			if !has(r.Fields, "tttid") && !has(r.Fields, "tttin") {
				return true
			}
			kind, _ := r.Text(0, 100)
			name, named := r.Text(1, maxSQL)
			table, _ := r.Text(2, maxSQL)
			root, rooted := r.Int(3)
			sql, _ := r.Text(4, maxSQL)
			if !named || !rooted || root < 0 || root > 1<<32-1 || len(s.objects) == maxObjects {
				s.torn = true
				return true
			}
			o := &object{name: name, table: table, root: uint32(root)}
			switch {
			case kind == "table" && tableRoles[strings.ToLower(name)] != other:
				o.role = tableRoles[strings.ToLower(name)]
			case kind == "table" && isPairs.MatchString(sql):
				o.role = rolePairs
			case kind == "index" && strings.EqualFold(table, nameOf(roleChunks)):
				o.role = rolePlaces
			case kind == "index" && strings.EqualFold(name, "kvault_col_row_index"):
				o.role = roleBlockFirsts
			case kind == "index" && strings.EqualFold(table, nameOf(roleBlocks)) && strings.HasPrefix(name, "sqlite_autoindex_"):
				o.role = roleBlockNumbers
			case kind == "index" && strings.EqualFold(table, nameOf(roleColumns)):
				o.role = roleNames
			case kind == "index" && strings.HasPrefix(name, "sqlite_autoindex_"):
				o.role = roleKeys // if its table is one of pairs
			}
			s.objects = append(s.objects, o)
			return true
		})
		s.torn = s.torn || bad > 0
	}
}

// assign finds the object that a tree belongs to that nothing leads to. By the
// pointer map this is certain. By the shape of the rows alone, a tree belongs to
// a table that has lost pages; if none has, it is what was deleted long ago.
func (s *survey) assign(t sqlitefile.Tree, roots map[uint32]*object) {
	if o := roots[t.Root]; o != nil {
		o.trees = append(o.trees, t)
		return
	}
	above := s.f.Above(t.Root)
	for _, page := range above {
		if o := roots[page]; o != nil {
			o.stray = append(o.stray, t)
			return
		}
	}
	shape := roleOf(s.f, t)
	if shape == other || shape == roleSchema {
		return
	}
	var fits []*object
	there := false
	for _, o := range s.objects {
		if o.role == shape {
			there = true
			if o.lost() {
				fits = append(fits, o)
			}
		}
	}
	switch {
	case len(fits) == 1:
		fits[0].stray = append(fits[0].stray, t)
	case shape == rolePairs && (s.torn || len(fits) > 1):
		s.assignPairs(t, above, roots)
	case shape == roleKeys && s.torn:
		s.keys = append(s.keys, t)
	case there && shape != rolePlaces && shape != roleNames || !s.torn || shape == rolePairs:
	default: // the row of the schema is lost
		s.objects = append(s.objects, &object{name: nameOf(shape), role: shape, stray: []sqlitefile.Tree{t}})
	}
}

// assignPairs is assign for pairs of which the shape does not tell the table. By
// the pointer map they have one of their own; otherwise they may be of any.
func (s *survey) assignPairs(t sqlitefile.Tree, above []uint32, roots map[uint32]*object) {
	root := t.Root
	if n := len(above); n > 0 {
		root = above[n-1]
	}
	if !s.f.IsRoot(root) {
		s.loose = append(s.loose, t)
		return
	}
	o := &object{root: root, role: rolePairs, stray: []sqlitefile.Tree{t}}
	o.name = s.newName("kv")
	o.table = o.name
	s.objects = append(s.objects, o)
	roots[root] = o
}

// newName is a name for a table of which that is not known: this one, or one
// that says that it was recovered.
func (s *survey) newName(name string) string {
	for n := 1; ; n++ {
		if !slices.ContainsFunc(s.objects, func(o *object) bool { return strings.EqualFold(o.name, name) }) {
			return name
		}
		name = "recovered"
		if n > 1 {
			name = fmt.Sprintf("recovered_%d", n)
		}
	}
}

// nameOf is the name of the table with this role.
func nameOf(r role) string {
	for name, role := range tableRoles {
		if role == r {
			return name
		}
	}
	return ""
}

// pairKeys finds the index of each table of pairs.
func (s *survey) pairKeys() {
	var alone []*object
	for _, o := range s.objects {
		if o.role != roleKeys {
			continue
		}
		o.role = other
		for _, table := range s.objects {
			if table.role == rolePairs && strings.EqualFold(table.name, o.table) {
				table.keys, o.role = o, roleKeys
			}
		}
	}
	for _, o := range s.objects {
		if o.role == rolePairs && o.keys == nil {
			alone = append(alone, o)
		}
	}
	if len(alone) == 1 && len(s.keys) > 0 && len(s.loose) == 0 {
		alone[0].keys = &object{role: roleKeys, trees: s.keys}
		s.objects = append(s.objects, alone[0].keys)
	}
}

// of yields the rows of all tables with a role: first those of trees, then those
// that nothing led to, for which stray is true. It counts the rows that could not
// be made out.
func (s *survey) of(r role, visit func(row *sqlitefile.Row, stray bool) error) (bad int, err error) {
	for _, o := range s.objects {
		if o.role != r {
			continue
		}
		n, err := s.rows(o, visit)
		if bad += n; err != nil {
			return bad, err
		}
	}
	return bad, nil
}

// rows yields the rows of one table or index.
func (s *survey) rows(o *object, visit func(row *sqlitefile.Row, stray bool) error) (bad int, err error) {
	o.read = true
	for k, trees := range [][]sqlitefile.Tree{o.trees, o.stray} {
		for _, t := range trees {
			for _, page := range t.Pages {
				bad += s.f.Rows(page, func(r *sqlitefile.Row) bool {
					err = visit(r, k == 1)
					return err == nil
				})
				if err != nil {
					return bad, err
				}
			}
		}
	}
	return bad, nil
}

// counts counts the pages. The chains of what was not read are followed first.
func (s *survey) counts() sqlitefile.Counts {
	if s.f.Counts().Unattributed > 0 {
		for _, o := range s.objects {
			if !o.read {
				s.rows(o, func(r *sqlitefile.Row, _ bool) error { r.Follow(); return nil })
			}
		}
	}
	return s.f.Counts()
}

// notRead names the tables that are not those of a vault.
func (s *survey) notRead() (names []string) {
	for _, o := range s.objects {
		internal := strings.HasPrefix(strings.ToLower(o.name), "sqlite_")
		if o.role == other && o.isTable() && !internal {
			names = append(names, o.name)
		}
	}
	return names
}

// names are those of the tables with these roles.
func (s *survey) names(roles ...role) (names []string) {
	for _, o := range s.objects {
		if slices.Contains(roles, o.role) {
			names = append(names, o.name)
		}
	}
	return names
}

// note says what is wrong with the schema, if anything is.
func (s *survey) note() string {
	if !s.torn {
		return ""
	}
	found := 0
	for _, o := range s.objects {
		if o.role != other {
			found++
		}
	}
	return fmt.Sprintf("a part of the schema is lost; %d tables and indexes were found by it or by what their rows look like", found)
}
