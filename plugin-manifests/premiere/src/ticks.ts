/** Premiere counts time in ticks, so small that a frame of every common rate is a whole number of them. */
export const TICKS_PER_SECOND = 254016000000n;

/** Frames per second as a fraction in lowest terms. */
export interface Rate {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** The fraction `numerator`/`denominator` in lowest terms. Throws when a part is not positive. */
export function rate(numerator: bigint | number, denominator: bigint | number = 1n): Rate {
  const [n, d] = [BigInt(numerator), BigInt(denominator)];
  if (n <= 0n || d <= 0n) throw new RangeError(`${n}/${d} is not a frame rate.`);
  const common = divisor(n, d);
  return { numerator: n / common, denominator: d / common };
}

/** The rate of a sequence from its time base, the ticks of one frame as Premiere writes them. */
export function rateOfTimebase(ticksPerFrame: string): Rate {
  if (!/^[1-9][0-9]*$/.test(ticksPerFrame)) throw new RangeError(`'${ticksPerFrame}' is not a time base.`);
  return rate(TICKS_PER_SECOND, BigInt(ticksPerFrame));
}

/** The tick at which frame number `frame` begins; rounded down where a frame is not a whole number of ticks. */
export function ticksOf(frame: number, of: Rate): bigint {
  return floorDiv(BigInt(frame) * TICKS_PER_SECOND * of.denominator, of.numerator);
}

/** The frame that is shown at a tick. */
export function frameAt(ticks: bigint, of: Rate): number {
  // Premiere rounds down to whole ticks, so that one tick before a frame is that frame's beginning.
  return toNumber(floorDiv((ticks + 1n) * of.numerator, TICKS_PER_SECOND * of.denominator));
}

/** Whether a frame begins at that tick. */
export function isFrameStart(ticks: bigint, of: Rate): boolean {
  const distance = ticks - ticksOf(frameAt(ticks, of), of);
  return distance >= -1n && distance <= 1n;
}

/** How many whole frames of rate `to` fit into `frames` frames of rate `from`. */
export function convertFrames(frames: number, from: Rate, to: Rate): number {
  return toNumber(floorDiv(BigInt(frames) * from.denominator * to.numerator, from.numerator * to.denominator));
}

export function sameRate(one: Rate, other: Rate): boolean {
  return one.numerator === other.numerator && one.denominator === other.denominator;
}

/** As people write it: "24", "29.97", "23.976". */
export function rateText(of: Rate): string {
  const value = Number(of.numerator) / Number(of.denominator);
  return String(Number(value.toFixed(value < 24 ? 3 : 2)));
}

/**
 * The label of a frame counted from timecode zero, such as "01:00:00:00". Drop-frame exists for 29.97 and 59.94 only: labels ;00 and ;01
 * (;00 to ;03) are left out each minute but every tenth (SMPTE ST 12-1); at other rates `dropFrame` is not looked at.
 */
export function timecode(frame: number, of: Rate, dropFrame: boolean): string {
  const nominal = toNumber((of.numerator + of.denominator / 2n) / of.denominator);
  const isDrop = dropFrame && of.denominator === 1001n && nominal % 30 === 0;
  let label = frame;
  if (isDrop) {
    const dropped = nominal / 15;
    const perMinute = nominal * 60 - dropped;
    const perTen = perMinute * 10 + dropped;
    const [tens, rest] = [Math.floor(frame / perTen), frame % perTen];
    label += tens * 9 * dropped + (rest >= nominal * 60 ? dropped * (1 + Math.floor((rest - nominal * 60) / perMinute)) : 0);
  }

  const seconds = Math.floor(label / nominal);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${two(Math.floor(seconds / 3600) % 24)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}${isDrop ? ";" : ":"}${two(label % nominal)}`;
}

function floorDiv(dividend: bigint, by: bigint): bigint {
  const quotient = dividend / by;
  return dividend % by < 0n ? quotient - 1n : quotient;
}

function divisor(one: bigint, other: bigint): bigint {
  return other === 0n ? one : divisor(other, one % other);
}

function toNumber(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new RangeError(`${value} is out of range.`);
  return number;
}
