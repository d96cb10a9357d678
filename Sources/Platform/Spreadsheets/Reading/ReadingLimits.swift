/// How much of a stranger's workbook is read at most. Beyond any of them the file is refused with that bound named.
package struct ReadingLimits: Hashable, Sendable {
  /// The file as it lies on the disk.
  package var fileBytes = 50 << 20
  /// Files inside the zip container.
  package var entries = 2_000
  /// One part, unpacked.
  package var partBytes = 512 << 20
  /// All parts that are read, unpacked.
  package var totalBytes = 1 << 30
  /// Unpacked bytes of a part for each packed one. The first 4 MiB of a part are free: small parts pack well.
  /// Deflate reaches 1,032; sheets of equal rows reach about 100.
  package var ratio = 250
  package var sheets = 256
  /// Rows of one sheet that hold anything.
  package var rows = SheetBounds.rows
  /// Cells of one sheet, empty ones with a style included.
  package var cells = 10_000_000
  /// The last column that may hold anything, counted from 1.
  package var columns = SheetBounds.columns
  /// UTF-16 units in one cell.
  package var textLength = SheetBounds.textLength
  /// All shared strings as UTF-8, and four bytes for each one's place.
  package var sharedStringBytes = 64 << 20
  /// Elements within elements.
  package var depth = 64
  /// Attributes of one element.
  package var attributes = 64

  package init() {}
}
