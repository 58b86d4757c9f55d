//! Arrays as NumPy and `npyz` write them, and every way in which one can be wrong.

use npyz::WriterBuilder;

use super::*;

/// A file of version 1 with this header and these elements.
fn file(header: &str, elements: &[u8]) -> Vec<u8> {
    let header = format!("{header}\n");
    [&MAGIC[..], &[1, 0], &(header.len() as u16).to_le_bytes(), header.as_bytes(), elements].concat()
}

fn header(descr: &str, fortran_order: &str, shape: &str) -> String {
    format!("{{'descr': '{descr}', 'fortran_order': {fortran_order}, 'shape': {shape}, }}")
}

fn parse_bytes(bytes: &[u8]) -> Result<Table> {
    parse(bytes, bytes.len() as u64, Path::new("t.npy"))
}

fn refused(bytes: &[u8], part: &str) {
    let error = parse_bytes(bytes).unwrap_err();
    assert!(matches!(error, Error::Data { .. }), "{error:?}");
    let message = error.to_string();
    assert!(message.starts_with("t.npy: ") && message.contains(part), "`{part}` is not in `{message}`");
    assert!(!message.contains('\n'), "{message}");
}

#[test]
fn reads_what_another_writer_writes() {
    for order in [npyz::Order::C, npyz::Order::Fortran] {
        let mut bytes = Vec::new();
        let mut writer = npyz::WriteOptions::new()
            .default_dtype()
            .shape(&[3, 2])
            .order(order)
            .writer(&mut bytes)
            .begin_nd()
            .unwrap();
        let rows = [1.5f32, 2.0, 3.0, 4.0, 5.0, -6.25];
        let columns = [1.5f32, 3.0, 5.0, 2.0, 4.0, -6.25];
        writer.extend(if order == npyz::Order::C { rows } else { columns }).unwrap();
        writer.finish().unwrap();
        let table = parse_bytes(&bytes).unwrap();
        assert_eq!((table.columns, table.rows(), table.names), (2, 3, None));
        assert_eq!(table.values, rows.map(f64::from));
    }
}

#[test]
fn every_type_of_element_and_order_of_bytes() {
    type Case = (&'static str, Vec<u8>, [f64; 2]);
    let cases: [Case; 16] = [
        ("|b1", vec![0, 1], [0.0, 1.0]),
        ("<f2", [0x3e00u16, 0xc000].map(u16::to_le_bytes).concat(), [1.5, -2.0]),
        (">f2", [0x3e00u16, 0xc000].map(u16::to_be_bytes).concat(), [1.5, -2.0]),
        ("=f8", [1e300f64, -0.1].map(f64::to_ne_bytes).concat(), [1e300, -0.1]),
        ("<f4", [1.5f32, -2.0].map(f32::to_le_bytes).concat(), [1.5, -2.0]),
        (">f4", [1.5f32, -2.0].map(f32::to_be_bytes).concat(), [1.5, -2.0]),
        ("<f8", [1e300f64, -0.1].map(f64::to_le_bytes).concat(), [1e300, -0.1]),
        (">f8", [1e300f64, -0.1].map(f64::to_be_bytes).concat(), [1e300, -0.1]),
        ("|i1", vec![5, 0xff], [5.0, -1.0]),
        ("|u1", vec![5, 0xff], [5.0, 255.0]),
        ("<i2", [300i16, -300].map(i16::to_le_bytes).concat(), [300.0, -300.0]),
        (">u2", [300u16, 65535].map(u16::to_be_bytes).concat(), [300.0, 65535.0]),
        ("<i4", [i32::MIN, 7].map(i32::to_le_bytes).concat(), [-2_147_483_648.0, 7.0]),
        ("<u4", [u32::MAX, 7].map(u32::to_le_bytes).concat(), [4_294_967_295.0, 7.0]),
        (">i8", [-1i64, 1 << 40].map(i64::to_be_bytes).concat(), [-1.0, (1u64 << 40) as f64]),
        ("<u8", [u64::MAX, 1].map(u64::to_le_bytes).concat(), [1.844_674_407_370_955_2e19, 1.0]),
    ];
    for (descr, elements, values) in cases {
        let table = parse_bytes(&file(&header(descr, "False", "(2,)"), &elements)).unwrap();
        assert_eq!((table.columns, &table.values[..]), (1, &values[..]), "{descr}");
    }
}

#[test]
fn headers_of_every_version_and_spelling() {
    let elements = [1.0f32, 2.0].map(f32::to_le_bytes).concat();
    for header in [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }",
        "{u'descr': u'<f4', u'fortran_order': False, u'shape': (1L, 2L), }",
        "{\"shape\":(1,2),\"fortran_order\":True,\"descr\":\"<f4\"}",
        "  { 'shape' : ( 1 , 2 , ) , 'descr' : '<f4' , 'fortran_order' : False }   ",
    ] {
        assert_eq!(parse_bytes(&file(header, &elements)).unwrap().values, [1.0, 2.0], "{header}");
        let long = [&MAGIC[..], &[2, 0], &(header.len() as u32).to_le_bytes(), header.as_bytes(), &elements].concat();
        assert_eq!(parse_bytes(&long).unwrap().columns, 2, "{header}");
    }
}

#[test]
fn what_is_no_such_array_is_refused() {
    let elements = [1.0f32, 2.0].map(f32::to_le_bytes).concat();
    refused(b"", "truncated: the magic bytes from offset 0");
    refused(b"PK\x03\x04....", "no NPY file");
    refused(&[&MAGIC[..], &[9, 0]].concat(), "version 9.0 at offset 6");
    refused(&[&MAGIC[..], &[1, 1]].concat(), "version 1.1 at offset 6");
    refused(&[&MAGIC[..], &[1, 0, 5]].concat(), "truncated: the length of the header");
    refused(&[&MAGIC[..], &[1, 0, 200, 0, b'{']].concat(), "truncated: the header from offset 10");
    refused(&[&MAGIC[..], &[2, 0, 255, 255, 255, 255]].concat(), "a header of 4294967295 bytes");
    for (header, part) in [
        ("", "it is no dictionary"),
        ("{}", "it needs the keys"),
        ("{'descr': '<f4'}", "it needs the keys"),
        ("{descr: '<f4'}", "a key is no string"),
        ("{'descr' '<f4'}", "a key has no value"),
        ("{'descr': '<f4' 'shape': (2,)}", "not followed by a comma"),
        ("{'descr': [('x', '<f4')], }", "arrays of records"),
        ("{'descr': 4, }", "`descr` is neither"),
        ("{'descr': '<f4', 'fortran_order': Maybe, }", "neither True nor False"),
        ("{'descr': '<f4', 'shape': [2], }", "`shape` is no tuple"),
        ("{'descr': '<f4', 'shape': (2), }", "`shape` is no tuple"),
        ("{'descr': '<f4', 'shape': (2,,1), }", "`shape` is no tuple"),
        ("{'descr': '<f4', 'shape': (+2, 01), }", "`shape` is no tuple"),
        ("{'descr': '<f4', 'shape': (-2,), }", "`shape` is no tuple"),
        ("{'descr': '<f4', 'shape': (99999999999999999999,), }", "numbers of 64 bits"),
        ("{'descr': '<f4', 'descr': '<f8', }", "stands there twice"),
        ("{'descr': '<f+4', }", "cannot be read"),
        ("{'order': 3}", "unknown key \"order\""),
        ("{'descr': '", "no dictionary"),
    ] {
        refused(&file(header, &elements), part);
    }
    for descr in ["<f1", "<b1x", "<b2", "<f16", "|V2", "|f4", "f4", "", "<", "<i3", "<f999999999999999999999", "<é"] {
        refused(&file(&header(descr, "False", "(2,)"), &elements), "cannot be read; bool, f2, f4, f8 and integers can");
    }
    for (shape, part) in [
        ("()", "0 dimensions"),
        ("(1, 1, 2)", "3 dimensions"),
        ("(0, 2)", "holds no numbers"),
        ("(2, 0)", "holds no numbers"),
        ("(3,)", "truncated"),
        ("(1,)", "trailing bytes: the array ends at offset 72, the file at 76"),
        ("(1, 99999)", "99999 columns; at most 16384"),
        ("(18446744073709551615, 1)", "truncated"),
        ("(18446744073709551615, 16384)", "truncated"),
        ("(4611686018427387905, 1)", "truncated"),
    ] {
        refused(&file(&header("<f4", "False", shape), &elements), part);
    }
    for value in [f32::NAN, f32::INFINITY] {
        let elements = [1.0f32, value].map(f32::to_le_bytes).concat();
        refused(&file(&header("<f4", "False", "(2,)"), &elements), "element 1 (counted from 0) at offset 72");
    }
}

/// The message of each type says what saves its values: as CSV texts, dates and objects, as an array what numbers can hold.
#[test]
fn each_refused_type_has_a_cure_of_its_own() {
    let csv = |array: &str| {
        format!("save them as CSV: pandas.DataFrame({array}).add_prefix(\"x\").to_csv(\"data.csv\", index=False)")
    };
    let npy = |array: &str| format!("numpy.save(\"data.npy\", {array})");
    for (descr, what, cure) in [
        ("<U3", "texts", csv("array")),
        (">U12", "texts", csv("array")),
        ("|S3", "texts", csv("numpy.char.decode(array)")),
        ("|O", "Python objects", csv("array")),
        ("<M8[D]", "dates", csv("array")),
        (">M8[25us]", "dates", csv("array")),
        ("<m8[ns]", "spans of time", npy("array / numpy.timedelta64(1, \"s\")")),
        ("<c8", "complex", npy("numpy.column_stack([array.real, array.imag])")),
        (">c16", "complex", npy("numpy.column_stack([array.real, array.imag])")),
        ("<f16", "f8 and integers can", npy("array.astype(\"f4\")")),
        ("|V2", "f8 and integers can", npy("array.astype(\"f4\")")),
    ] {
        let bytes = file(&header(descr, "False", "(2,)"), &[0; 16]);
        let message = parse_bytes(&bytes).unwrap_err().to_string();
        assert!(message.starts_with("t.npy: the header at offset 10: elements of type"), "{message}");
        // Nothing after it contradicts it.
        assert!(message.contains(descr) && message.contains(what) && message.ends_with(&cure), "{message}");
    }
    let records = "{'descr': [('name', '<U3'), ('x', '<f4')], 'fortran_order': False, 'shape': (2,), }";
    let message = parse_bytes(&file(records, &[0; 32])).unwrap_err().to_string();
    assert!(
        message.ends_with("pandas.DataFrame(array).to_csv(\"data.csv\", index=False)")
            && message.contains("arrays of records"),
        "{message}"
    );
    // A header that is not as NumPy writes it is one to write again.
    refused(&file("{'order': 3}", &[]), SAVE);
}

#[test]
fn more_elements_than_are_converted_at_once() {
    let values: Vec<u16> = (0..20_000).collect();
    let elements: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let table = parse_bytes(&file(&header("<u2", "True", "(10000, 2)"), &elements)).unwrap();
    assert_eq!((table.rows(), &table.values[..4]), (10_000, &[0.0, 10_000.0, 1.0, 10_001.0][..]));
}

#[test]
fn the_order_of_elements_takes_memory_only_where_it_changes() {
    for (order, shape, each) in [
        ("False", "(6, 2)", NUMBER_BYTES),
        ("True", "(6, 2)", TRANSPOSED_BYTES),
        ("True", "(12, 1)", NUMBER_BYTES),
        ("True", "(1, 12)", NUMBER_BYTES),
        ("True", "(12,)", NUMBER_BYTES),
    ] {
        let bytes = file(&header("<f4", order, shape), &1.5f32.to_le_bytes().repeat(12));
        let within = |most| parse_within(&bytes[..], Length::Exactly(bytes.len() as u64), Path::new("t.npy"), most);
        assert_eq!(within(12 * each).unwrap().values, [1.5; 12], "{order} {shape}");
        let error = within(12 * each - 1).unwrap_err();
        assert!(matches!(error, Error::MemoryLimit { needed, .. } if needed == 12 * each), "{order} {shape}: {error}");
    }
}

#[test]
fn numbers_of_16_bits_are_those_of_another_reader() {
    let elements: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
    for (bits, bytes) in (0..=u16::MAX).zip(elements.chunks_exact(2)) {
        let expected = half::f16::from_bits(bits).to_f64();
        let parsed = parse_bytes(&file(&header("<f2", "False", "(1,)"), bytes));
        match parsed {
            Ok(table) => assert_eq!(table.values[0].to_bits(), expected.to_bits(), "{bits:#06x}"),
            Err(error) => assert!(!expected.is_finite(), "{bits:#06x}: {error}"),
        }
    }
}

fn parse_images(bytes: &[u8]) -> Result<Images> {
    match parse_array(bytes, bytes.len() as u64, Path::new("t.npy"), u64::MAX)? {
        Array::Images(images) => Ok(images),
        other => panic!("{other:?}"),
    }
}

#[test]
fn arrays_of_three_dimensions_are_images() {
    let shares = [0.0f32, 1.0, 0.5, 0.1, 0.9, 0.49].map(f32::to_le_bytes).concat();
    let grays = [0.0f32, 1.0, 255.0, 0.6, 0.4, 100.4].map(f32::to_le_bytes).concat();
    let wide = [0i16, 1, 255, 7, 8, 9].map(i16::to_be_bytes).concat();
    for (descr, shape, elements, size, pixels) in [
        ("|u1", "(1, 2, 3)", vec![0, 1, 2, 3, 4, 255], [1, 2, 3], [0, 1, 2, 3, 4, 255]),
        ("|u1", "(3, 1, 2, 1)", vec![0, 1, 2, 3, 4, 255], [3, 1, 2], [0, 1, 2, 3, 4, 255]),
        ("|u1", "(3, 1, 2, 1)", vec![1, 1, 1, 1, 1, 0], [3, 1, 2], [1, 1, 1, 1, 1, 0]),
        ("|u1", "(1, 1, 3, 2)", vec![0, 1, 2, 3, 4, 255], [1, 3, 2], [0, 1, 2, 3, 4, 255]),
        ("|b1", "(2, 1, 3)", vec![0, 1, 0, 0, 1, 1], [2, 1, 3], [0, 255, 0, 0, 255, 255]),
        ("<f4", "(2, 1, 3)", shares, [2, 1, 3], [0, 255, 128, 26, 229, 125]),
        ("<f4", "(2, 1, 3)", grays, [2, 1, 3], [0, 1, 255, 1, 0, 100]),
        (">i2", "(2, 1, 3)", wide, [2, 1, 3], [0, 1, 255, 7, 8, 9]),
    ] {
        let bytes = file(&header(descr, "False", shape), &elements);
        assert!(are_images(&bytes), "{shape}");
        let found = parse_images(&bytes).unwrap();
        assert_eq!([found.count, found.height, found.width], size, "{descr} {shape}");
        assert_eq!(found.pixels, pixels, "{descr} {shape}");
    }
    // As NumPy writes numpy.arange(12).reshape(2, 2, 3) in the order of columns.
    let elements = [0, 6, 3, 9, 1, 7, 4, 10, 2, 8, 5, 11];
    let found = parse_images(&file(&header("|u1", "True", "(2, 2, 3)"), &elements)).unwrap();
    assert_eq!(found.pixels, (0..12).collect::<Vec<u8>>());
    assert!(!are_images(&file(&header("|u1", "False", "(2, 2)"), &[0; 4])) && !are_images(b"\x93NUMPY"));
}

#[test]
fn what_are_no_images_is_refused() {
    let of = |descr: &str, shape: &str, elements: &[u8]| {
        parse_images(&file(&header(descr, "False", shape), elements)).unwrap_err().to_string()
    };
    for (shape, part) in [
        ("(2, 2, 2, 3)", "make colors gray"),
        ("(0, 2, 2)", "holds no pixels"),
        ("(2, 2, 3)", "truncated"),
        ("(1, 1, 3)", "trailing bytes: the array ends at offset"),
        ("(4294967296, 4294967296, 4294967296)", "more than 1073741824 pixels"),
        ("(1073741824, 1, 1)", "truncated"),
        ("(2, 1073741824, 1)", "more than 1073741824 pixels"),
    ] {
        let problem = of("|u1", shape, &[0; 4]);
        assert!(problem.starts_with("t.npy: ") && problem.contains(part), "{shape}: {problem}");
    }
    for (value, part) in [
        (-0.5f32, "element [1, 0, 1] (counted from 0) at offset 85 is -0.5, which is no pixel"),
        (255.5, "no pixel"),
        (f32::NAN, "NaN"),
        (f32::INFINITY, "inf"),
    ] {
        let problem = of("<f4", "(2, 1, 2)", &[0.5, 1.0, 1.0, value].map(f32::to_le_bytes).concat());
        assert!(problem.contains(part), "{value}: {problem}");
    }
    let bytes = file(&header("|u1", "True", "(2, 2, 1)"), &[0; 4]);
    let within = |most| parse_array(&bytes[..], bytes.len() as u64, Path::new("t.npy"), most);
    assert!(within(8).is_ok());
    assert!(matches!(within(7), Err(Error::MemoryLimit { needed: 8, limit: 7 })));
}

#[test]
fn gaps_are_missing_values_of_an_array_and_an_error_in_a_table() {
    let elements = [1.0f64, 2.0, f64::NAN, 4.0, 5.0, 6.0].map(f64::to_le_bytes).concat();
    let bytes = file(&header("<f8", "True", "(3, 2)"), &elements);
    let error = parse_bytes(&bytes).unwrap_err().to_string();
    assert!(error.contains("element [2, 0] (counted from 0) at offset ") && error.contains("is NaN"), "{error}");
    let Array::Numbers { columns, values, bits: 64 } =
        parse_array(&bytes[..], bytes.len() as u64, Path::new("t.npy"), u64::MAX).unwrap()
    else {
        panic!("no numbers");
    };
    assert_eq!((columns, &values[..4]), (2, &[1.0, 4.0, 2.0, 5.0][..]));
    assert!(values[4].is_nan() && values[5] == 6.0);
    let infinite = file(&header("<f8", "False", "(1,)"), &f64::INFINITY.to_le_bytes());
    assert!(parse_array(&infinite[..], infinite.len() as u64, Path::new("t.npy"), u64::MAX).is_err());
}

/// What the elements of an array are of each type: whole numbers that floats do not tell apart stay whole.
#[test]
fn wide_whole_numbers_stay_apart() {
    let read = |descr: &str, elements: &[u8]| {
        let size = descr[2..].parse::<usize>().unwrap();
        let bytes = file(&header(descr, "False", &format!("({},)", elements.len() / size)), elements);
        parse_array(&bytes[..], bytes.len() as u64, Path::new("t.npy"), u64::MAX).unwrap()
    };
    const WIDE: i64 = 1 << 53;
    let signed = |values: &[i64]| read("<i8", &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>());
    let unsigned =
        |values: &[u64]| read(">u8", &values.iter().flat_map(|value| value.to_be_bytes()).collect::<Vec<_>>());
    let numbers = |values: &[f64], bits| Array::Numbers { columns: 1, values: values.to_vec(), bits };
    let integers = |values: &[i64]| Array::Integers { columns: 1, values: values.to_vec() };
    assert_eq!(
        signed(&[WIDE - 1, 1 - WIDE, 3]),
        numbers(&[9_007_199_254_740_991.0, -9_007_199_254_740_991.0, 3.0], 64)
    );
    for wide in [WIDE, -WIDE, WIDE + 1, i64::MAX, i64::MIN] {
        assert_eq!(signed(&[-7, wide]), integers(&[-7, wide]));
    }
    assert_eq!(unsigned(&[WIDE as u64 + 1, 5]), integers(&[WIDE + 1, 5]));
    assert_eq!(unsigned(&[1, 5]), numbers(&[1.0, 5.0], 64));
    for wide in [u64::MAX, 1 << 63] {
        assert_eq!(unsigned(&[wide, 5]), Array::Unsigned { columns: 1, values: vec![wide, 5] });
    }
    assert_eq!(unsigned(&[(1 << 63) - 1, 5]), integers(&[i64::MAX, 5]));
    assert_eq!(read("<f4", &0.1f32.to_le_bytes()), numbers(&[f64::from(0.1f32)], 32));
    assert_eq!(read("<f2", &[0x00, 0x3c]), numbers(&[1.0], 16));
    assert_eq!(read("<f8", &0.1f64.to_le_bytes()), numbers(&[0.1], 64));
    assert_eq!(read("|b1", &[7]), numbers(&[1.0], 64));
    // In the order of columns.
    let elements = [WIDE + 1, 2, 3, 4].map(i64::to_le_bytes).concat();
    let bytes = file(&header("<i8", "True", "(2, 2)"), &elements);
    let array = parse_array(&bytes[..], bytes.len() as u64, Path::new("t.npy"), u64::MAX).unwrap();
    assert_eq!(array, Array::Integers { columns: 2, values: vec![WIDE + 1, 3, 2, 4] });
}

#[test]
fn no_truncation_and_no_flipped_bit_is_a_panic() {
    let elements = [1.0f32, 2.0, 3.0, 4.0].map(f32::to_le_bytes).concat();
    let good = file(&header("<f4", "True", "(2, 2)"), &elements);
    parse_bytes(&good).unwrap();
    for end in 0..good.len() {
        assert!(parse_bytes(&good[..end]).is_err(), "{end}");
    }
    for bit in 0..8 * good.len() {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        // Whatever it now is: an array of four numbers, or an error.
        if let Ok(table) = parse_bytes(&bytes) {
            assert_eq!(table.rows() * table.columns, table.values.len());
            assert!(table.values.len() <= 16 && table.values.iter().all(|value| value.is_finite()));
        }
    }
}

/// Memory is checked for all elements before they come, and grows no further.
#[test]
fn memory_of_what_is_expanded_ends_with_its_elements() {
    for blocks in 1..8 {
        let count = blocks * BLOCK + 1;
        let table = file(&header("|u1", "False", &format!("({count}, 1)")), &vec![1; count]);
        let images = file(&header("|u1", "False", &format!("({count}, 1, 1)")), &vec![1; count]);
        let read = |bytes: &[u8]| parse_array(bytes, u64::MAX, Path::new("t.npy"), u64::MAX).unwrap();
        let capacity = match (read(&table), read(&images)) {
            (Array::Numbers { values, .. }, Array::Images(images)) => [values.capacity(), images.pixels.capacity()],
            other => panic!("{other:?}"),
        };
        assert!(capacity.iter().all(|&capacity| capacity == count), "{count}: {capacity:?}");
    }
}
