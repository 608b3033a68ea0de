package main

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"reflect"
	"time"

	"github.com/hamba/avro/v2"
)

func meaning(schema avro.Schema) avro.LogicalType {
	if of, has := schema.(avro.LogicalTypeSchema); has && of.Logical() != nil {
		return of.Logical().Type()
	}
	return ""
}

// raw is what stands in the bytes for a value as Go has it: int64, float64, []byte, string or bool.
func raw(schema avro.Schema, value any) (any, error) {
	switch of := value.(type) {
	case int:
		return int64(of), nil
	case float32:
		return float64(of), nil
	case int64, float64, []byte, string, bool:
		return of, nil
	case time.Time:
		return instant(meaning(schema), of), nil
	case time.Duration:
		if meaning(schema) == avro.TimeMillis {
			return of.Milliseconds(), nil
		}
		return of.Microseconds(), nil
	case *big.Rat:
		return unscaled(schema, of)
	case avro.LogicalDuration:
		data := binary.LittleEndian.AppendUint32(nil, of.Months)
		data = binary.LittleEndian.AppendUint32(data, of.Days)
		return binary.LittleEndian.AppendUint32(data, of.Milliseconds), nil
	}
	if of := reflect.ValueOf(value); of.Kind() == reflect.Array {
		data := make([]byte, of.Len())
		reflect.Copy(reflect.ValueOf(data), of)
		return data, nil
	}
	return nil, fmt.Errorf("%T is unknown", value)
}

func instant(kind avro.LogicalType, value time.Time) int64 {
	switch kind {
	case avro.Date:
		return value.Unix() / (24 * 60 * 60)
	case avro.TimestampMillis:
		return value.UnixMilli()
	case avro.TimestampMicros:
		return value.UnixMicro()
	}
	// Local: the clock's digits, in no zone.
	year, month, day := value.Date()
	shown := time.Date(year, month, day, value.Hour(), value.Minute(), value.Second(), value.Nanosecond(), time.UTC)
	if kind == avro.LocalTimestampMillis {
		return shown.UnixMilli()
	}
	return shown.UnixMicro()
}

// unscaled is a decimal's two's complement: as few bytes as it takes, or as many as its fixed type has.
func unscaled(schema avro.Schema, value *big.Rat) ([]byte, error) {
	decimal, is := schema.(avro.LogicalTypeSchema).Logical().(*avro.DecimalLogicalSchema)
	if !is {
		return nil, fmt.Errorf("%v is no decimal", schema)
	}
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimal.Scale())), nil)
	whole := new(big.Rat).Mul(value, new(big.Rat).SetInt(scale))
	if !whole.IsInt() {
		return nil, fmt.Errorf("%v has more decimals than %d", value, decimal.Scale())
	}
	number := whole.Num()
	magnitude := new(big.Int).Set(number)
	if number.Sign() < 0 {
		magnitude.Not(number) // -128 fits into a byte like 127
	}
	size := magnitude.BitLen()/8 + 1
	if fixed, is := schema.(*avro.FixedSchema); is {
		size = fixed.Size()
	}
	turned := new(big.Int).Set(number)
	if number.Sign() < 0 {
		turned.Add(turned, new(big.Int).Lsh(big.NewInt(1), uint(8*size)))
	}
	return turned.FillBytes(make([]byte, size)), nil
}
