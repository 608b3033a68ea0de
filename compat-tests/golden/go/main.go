// What a Go service makes of golden bytes, by hamba/avro. Usage: golden RELEASE…
package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/hamba/avro/v2"
)

// Without the header lists and maps are written as Apache Avro writes them; both forms are legal.
var codec = avro.Config{DisableBlockSizeHeader: true}.Freeze()

type line struct {
	Event string `json:"event"`
	Case  int    `json:"case"`
	JSON  string `json:"json"`
	Hex   string `json:"hex"`
}

type telling struct {
	Release   string `json:"release"`
	Values    int    `json:"values"`
	Read      int    `json:"read"`
	SameBytes int    `json:"same_bytes"`
	Reordered int    `json:"reordered"`
}

// same tells whether a value that was decoded is the one that was recorded as Avro's JSON.
func same(schema avro.Schema, value, recorded any) bool {
	switch of := schema.(type) {
	case *avro.RefSchema:
		return same(of.Schema(), value, recorded)
	case *avro.RecordSchema:
		return sameRecord(of, value, recorded)
	case *avro.UnionSchema:
		return sameBranch(of, value, recorded)
	case *avro.ArraySchema:
		items, isList := value.([]any)
		told, isTold := recorded.([]any)
		for n := 0; isList && isTold && len(items) == len(told) && n < len(items); n++ {
			isList = same(of.Items(), items[n], told[n])
		}
		return isList && isTold && len(items) == len(told)
	case *avro.MapSchema:
		entries, isMap := value.(map[string]any)
		told, isTold := recorded.(map[string]any)
		for key, entry := range entries {
			other, has := told[key]
			isMap = isMap && has && same(of.Values(), entry, other)
		}
		return isMap && isTold && len(entries) == len(told)
	}
	if schema.Type() == avro.Null {
		return value == nil && recorded == nil
	}
	raw, err := raw(schema, value)
	return err == nil && sameRaw(raw, recorded)
}

func sameRecord(record *avro.RecordSchema, value, recorded any) bool {
	fields, isRecord := value.(map[string]any)
	told, isTold := recorded.(map[string]any)
	if !isRecord || !isTold || len(fields) != len(told) {
		return false
	}
	for _, field := range record.Fields() {
		other, has := told[field.Name()]
		if !has || !same(field.Type(), fields[field.Name()], other) {
			return false
		}
	}
	return true
}

// sameBranch: hamba/avro gives what Go has for a branch, or a map under the branch's name where it has nothing; Avro's JSON always has the name.
func sameBranch(union *avro.UnionSchema, value, recorded any) bool {
	if value == nil || recorded == nil {
		return value == nil && recorded == nil
	}
	told, isTold := recorded.(map[string]any)
	for _, branch := range union.Types() {
		other, is := told[branchName(branch, false)]
		if !isTold || len(told) != 1 || !is {
			continue
		}
		if named, isNamed := value.(map[string]any); isNamed {
			value = named[branchName(branch, true)]
		}
		return same(branch, value, other)
	}
	return false
}

func branchName(branch avro.Schema, withMeaning bool) string {
	if ref, isRef := branch.(*avro.RefSchema); isRef {
		branch = ref.Schema()
	}
	if named, isNamed := branch.(avro.NamedSchema); isNamed {
		return named.FullName()
	}
	if withMeaning {
		if kind := meaning(branch); kind != "" {
			return string(branch.Type()) + "." + string(kind)
		}
	}
	return string(branch.Type())
}

// sameRaw compares what stands in the bytes with a leaf of the JSON. Bytes are texts of the characters U+0000 to U+00FF there.
func sameRaw(raw, recorded any) bool {
	number, isNumber := recorded.(json.Number)
	text, isText := recorded.(string)
	switch value := raw.(type) {
	case int64:
		return isNumber && number.String() == strconv.FormatInt(value, 10)
	case float64:
		if isText {
			return text == "NaN" && math.IsNaN(value) || text == "Infinity" && math.IsInf(value, 1) || text == "-Infinity" && math.IsInf(value, -1)
		}
		told, err := number.Float64()
		return isNumber && err == nil && math.Float64bits(told) == math.Float64bits(value)
	case []byte:
		var latin strings.Builder
		for _, each := range value {
			latin.WriteRune(rune(each))
		}
		return isText && text == latin.String()
	}
	return raw == recorded
}

// check is the fault of one line, or "".
func check(schema avro.Schema, one line, told *telling) string {
	data, err := hex.DecodeString(one.Hex)
	if err != nil {
		return err.Error()
	}
	recorded, err := numbers(one.JSON)
	if err != nil {
		return err.Error()
	}
	var value any
	if err := codec.Unmarshal(schema, data, &value); err != nil {
		return err.Error()
	}
	if !same(schema, value, recorded) {
		return fmt.Sprintf("reads %v, not %s", value, one.JSON)
	}
	told.Read++
	again, err := codec.Marshal(schema, value)
	if err != nil {
		return err.Error()
	}
	if bytes.Equal(again, data) {
		told.SameBytes++
		return ""
	}
	// Go's maps have no order: the same entries, in another one.
	var reread any
	if err := codec.Unmarshal(schema, again, &reread); err == nil && len(again) == len(data) && same(schema, reread, recorded) {
		told.Reordered++
		return ""
	}
	return fmt.Sprintf("writes %x, not %s", again, one.Hex)
}

func numbers(text string) (any, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	return value, err
}

func release(folder string) (told telling, faults int, err error) {
	told.Release = filepath.Base(folder)
	var set struct {
		Events map[string]struct {
			Text string `json:"text"`
		} `json:"events"`
	}
	text, err := os.ReadFile(filepath.Join(folder, "set.json"))
	if err != nil {
		return
	}
	if err = json.Unmarshal(text, &set); err != nil {
		return
	}
	lines, err := os.ReadFile(filepath.Join(folder, "golden.jsonl"))
	if err != nil {
		return
	}
	schemas := map[string]avro.Schema{}
	for _, text := range bytes.Split(bytes.TrimSuffix(lines, []byte("\n")), []byte("\n")) {
		var one line
		if err = json.Unmarshal(text, &one); err != nil {
			return
		}
		if schemas[one.Event] == nil {
			// A cache of its own: two events may define one shared type.
			if schemas[one.Event], err = avro.ParseWithCache(set.Events[one.Event].Text, "", &avro.SchemaCache{}); err != nil {
				return
			}
		}
		told.Values++
		if fault := check(schemas[one.Event], one, &told); fault != "" {
			faults++
			fmt.Fprintf(os.Stderr, "%s %s case %d: %s\n", told.Release, one.Event, one.Case, fault)
		}
	}
	return
}

func main() {
	sum := 0
	for _, folder := range os.Args[1:] {
		told, faults, err := release(folder)
		if err != nil {
			fmt.Fprintln(os.Stderr, folder, err)
			os.Exit(1)
		}
		sum += faults
		text, _ := json.Marshal(told)
		fmt.Println(string(text))
	}
	if sum > 0 {
		os.Exit(1)
	}
}
