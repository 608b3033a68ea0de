// What a Go service does with a registry, by franz-go's client. Usage: client URL
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/sr"
)

const (
	subject = "go-order-value"
	first   = `{"type":"record","name":"OrderCreated","namespace":"mall.order","fields":[{"name":"order_id","type":"string"}]}`
	second  = `{"type":"record","name":"OrderCreated","namespace":"mall.order","fields":[{"name":"order_id","type":"string"},{"name":"note","type":"string","default":""}]}`
	broken  = `{"type":"record","name":"OrderCreated","namespace":"mall.order","fields":[{"name":"order_id","type":"string"},{"name":"total","type":"long"}]}`
)

func check(condition bool, format string, values ...any) {
	if !condition {
		fmt.Fprintf(os.Stderr, format+"\n", values...)
		os.Exit(1)
	}
}

func code(err error) int {
	var refused *sr.ResponseError
	if errors.As(err, &refused) {
		return refused.ErrorCode
	}
	return 0
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	client, err := sr.NewClient(sr.URLs(os.Args[1]))
	check(err == nil, "new client: %v", err)

	one, err := client.CreateSchema(ctx, subject, sr.Schema{Schema: first})
	check(err == nil && one.Version == 1, "register: %v %+v", err, one)
	again, err := client.CreateSchema(ctx, subject, sr.Schema{Schema: first})
	check(err == nil && again.ID == one.ID, "register again: %v %+v", err, again)
	two, err := client.CreateSchema(ctx, subject, sr.Schema{Schema: second})
	check(err == nil && two.Version == 2 && two.ID != one.ID, "register the next: %v %+v", err, two)

	_, err = client.CreateSchema(ctx, subject, sr.Schema{Schema: broken})
	check(code(err) == 40901, "an incompatible schema: %v", err)
	verdict, err := client.CheckCompatibility(ctx, subject, -1, sr.Schema{Schema: broken})
	check(err == nil && !verdict.Is, "check: %v %+v", err, verdict)
	_, err = client.SchemaByVersion(ctx, "go-unknown", -1)
	check(code(err) == 40401, "an unknown subject: %v", err)

	found, err := client.LookupSchema(ctx, subject, sr.Schema{Schema: first})
	check(err == nil && found.Version == 1, "look up: %v %+v", err, found)
	latest, err := client.SchemaByVersion(ctx, subject, -1)
	check(err == nil && latest.Version == 2, "latest: %v %+v", err, latest)
	byID, err := client.SchemaByID(ctx, two.ID)
	check(err == nil && byID.Schema == second, "by id: %v %+v", err, byID)
	versions, err := client.SubjectVersions(ctx, subject)
	check(err == nil && len(versions) == 2, "versions: %v %v", err, versions)

	set := client.SetCompatibility(ctx, sr.SetCompatibility{Level: sr.CompatFull}, subject)
	check(len(set) == 1 && set[0].Err == nil, "set the level: %+v", set)
	level := client.Compatibility(ctx, subject)
	check(len(level) == 1 && level[0].Err == nil && level[0].Level == sr.CompatFull, "the level: %+v", level)

	type order struct{ OrderID string }
	var serde sr.Serde
	serde.Register(one.ID, order{}, sr.EncodeFn(json.Marshal), sr.DecodeFn(json.Unmarshal))
	data, err := serde.Encode(order{"o-1"})
	check(err == nil && data[0] == 0 && data[4] == byte(one.ID), "encode: %v % x", err, data)
	var decoded order
	check(serde.Decode(data, &decoded) == nil && decoded.OrderID == "o-1", "decode: %+v", decoded)

	numbers, err := client.DeleteSubject(ctx, subject, sr.SoftDelete)
	check(err == nil && len(numbers) == 2, "delete: %v %v", err, numbers)
}
