//! Arrays in NumPy's format, version 1.0; [`gannet::data::npy`] tells of the format.

use std::io::{self, Write};

use gannet::data::npy::MAGIC;

/// What an array is made of.
pub(crate) trait Number {
    /// NumPy's name of the type.
    const TYPE: &str;

    /// Writes the number as it stands in a file.
    fn write(self, file: &mut dyn Write) -> io::Result<()>;
}

impl Number for u8 {
    const TYPE: &str = "|u1";

    fn write(self, file: &mut dyn Write) -> io::Result<()> {
        file.write_all(&[self])
    }
}

impl Number for f32 {
    const TYPE: &str = "<f4";

    fn write(self, file: &mut dyn Write) -> io::Result<()> {
        file.write_all(&self.to_le_bytes())
    }
}

impl Number for f64 {
    const TYPE: &str = "<f8";

    fn write(self, file: &mut dyn Write) -> io::Result<()> {
        file.write_all(&self.to_le_bytes())
    }
}

/// Writes `values`, row by row, as an array of this shape: `[rows, columns]` for instance, and at most three lengths.
///
/// # Errors
///
/// What the system reports.
pub(crate) fn write<T: Number>(
    file: &mut dyn Write,
    shape: &[usize],
    values: impl Iterator<Item = T>,
) -> io::Result<()> {
    /// Bytes before the header: what every file begins with, the version, and the length of the header.
    const BEFORE: usize = MAGIC.len() + 4;
    /// The values begin at a multiple of this.
    const ALIGNMENT: usize = 64;
    let kind = T::TYPE;
    let shape: String = shape.iter().map(|length| format!("{length}, ")).collect();
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}");
    // A header of three lengths is far shorter than 64 KiB.
    let length = (BEFORE + header.len() + 1).next_multiple_of(ALIGNMENT) - BEFORE;
    file.write_all(MAGIC)?;
    file.write_all(&[1, 0])?;
    file.write_all(&(length as u16).to_le_bytes())?;
    writeln!(file, "{header:<width$}", width = length - 1)?;
    for value in values {
        value.write(file)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use npyz::{NpyFile, WriterBuilder};

    use super::*;

    #[test]
    fn files_are_those_of_another_writer() {
        for (rows, columns) in [(0, 1), (3, 2), (1, 16_384), (100_000, 3)] {
            let values = || (0..rows * columns).map(|index| index as f64 * -0.1);
            let mut ours = Vec::new();
            write(&mut ours, &[rows, columns], values()).unwrap();
            let mut others = Vec::new();
            let shape = [rows as u64, columns as u64];
            let mut array =
                npyz::WriteOptions::new().default_dtype().shape(&shape).writer(&mut others).begin_nd().unwrap();
            array.extend(values()).unwrap();
            array.finish().unwrap();
            assert!(ours == others, "{rows} x {columns}");
        }
    }

    #[test]
    fn arrays_read_back() {
        let values = [1.0, -2.5, f32::MIN_POSITIVE, 0.1, 3e38, -0.0];
        let mut bytes = Vec::new();
        write(&mut bytes, &[3, 2], values.into_iter()).unwrap();
        let array = NpyFile::new(&bytes[..]).unwrap();
        assert_eq!(array.shape(), [3, 2]);
        assert_eq!(array.into_vec::<f32>().unwrap(), values);
        let pixels = [0u8, 1, 128, 255];
        let mut bytes = Vec::new();
        write(&mut bytes, &[2, 1, 2], pixels.into_iter()).unwrap();
        let array = NpyFile::new(&bytes[..]).unwrap();
        assert_eq!(array.shape(), [2, 1, 2]);
        assert_eq!(array.into_vec::<u8>().unwrap(), pixels);
    }
}
