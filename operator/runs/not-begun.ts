/**
 * A run could not be begun here, through no fault of it or of its store: another operator leads, or the connection was
 * closed meanwhile. Whoever leads then begins it.
 */
export class NotBegun extends Error {
  override readonly name = 'NotBegun';
}
