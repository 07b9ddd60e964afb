//! Places on earth as numbers that sort near to near: 52 bits, longitude and latitude by turns, which are the scores of
//! Redis's geo commands. Also which cells of that grid an area reaches into, and how far it is from place to place.
//! What is stored under such numbers is the business of the commands.

use alloc::vec::Vec;
use core::{array, f64::consts::PI, ops::Range};

/// A place, in degrees.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
#[allow(missing_docs)]
pub struct Point {
    pub longitude: f64,
    pub latitude: f64,
}

/// What is searched, around a place.
#[derive(Clone, PartialEq, Debug)]
#[allow(missing_docs)]
pub enum Shape {
    Circle {
        radius: f64,
    },
    Rectangle {
        width: f64,
        height: f64,
    },
    /// By its corners.
    Polygon(Vec<Point>),
}

/// A shape on the map.
#[derive(Clone, PartialEq, Debug)]
pub struct Area {
    /// From where distances count.
    pub center: Point,
    /// The shape, in units.
    pub shape: Shape,
    /// Metres of a unit.
    pub unit: f64,
}

/// Degrees from the smallest to the greatest.
#[derive(Clone, Copy, Debug)]
struct Degrees {
    min: f64,
    max: f64,
}

/// A part of the map: as many bits of longitude and of latitude as its step.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Cell {
    bits: u64,
    step: u32,
}

/// Bits of either coordinate in a score.
const STEP_MAX: u32 = 26;
const LONGITUDES: Degrees = Degrees { min: -180.0, max: 180.0 };
/// Those that the Mercator projection makes a square of.
const LATITUDES: Degrees = Degrees { min: -85.05112878, max: 85.05112878 };
const EARTH_RADIUS: f64 = 6372797.560856;
/// Half the equator of the projection, in metres.
const MERCATOR_MAX: f64 = 20037726.37;
const EVEN_BITS: u64 = 0x5555_5555_5555_5555;

impl Point {
    /// A place, if it is on the map.
    pub fn new(longitude: f64, latitude: f64) -> Option<Point> {
        let on_map = LONGITUDES.has(longitude) && LATITUDES.has(latitude);
        on_map.then_some(Point { longitude, latitude })
    }

    /// The place that a score means. Any number means one.
    pub fn of_score(score: f64) -> Point {
        let (longitudes, latitudes) = Cell { bits: bits_of(score), step: STEP_MAX }.bounds();
        let middle = |part: Degrees, all: Degrees| ((part.min + part.max) / 2.0).min(all.max).max(all.min);
        Point { longitude: middle(longitudes, LONGITUDES), latitude: middle(latitudes, LATITUDES) }
    }

    /// The score that means this place.
    pub fn score(self) -> u64 {
        Cell::around(self, STEP_MAX, LATITUDES).bits
    }

    /// The standard geohash: eleven letters, of which the last one says nothing.
    pub fn geohash(self) -> [u8; 11] {
        const ALPHABET: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
        let bits = Cell::around(self, STEP_MAX, Degrees { min: -90.0, max: 90.0 }).bits;
        array::from_fn(|i| if i < 10 { ALPHABET[(bits >> (47 - 5 * i) & 31) as usize] } else { b'0' })
    }

    /// The distance on the sphere, in metres.
    pub fn distance(self, other: Point) -> f64 {
        let v = libm::sin((radians(other.longitude) - radians(self.longitude)) / 2.0);
        if v == 0.0 {
            return latitude_distance(self.latitude, other.latitude);
        }
        let (from, to) = (radians(self.latitude), radians(other.latitude));
        let u = libm::sin((to - from) / 2.0);
        let a = u * u + libm::cos(from) * libm::cos(to) * v * v;
        2.0 * EARTH_RADIUS * libm::asin(libm::sqrt(a))
    }
}

impl Area {
    /// A polygon, whose center is the mean of its corners.
    pub fn of_polygon(corners: Vec<Point>) -> Area {
        let (mut x, mut y, mut z) = (0.0, 0.0, 0.0);
        for corner in &corners {
            let (longitude, latitude) = (radians(corner.longitude), radians(corner.latitude));
            x += libm::cos(latitude) * libm::cos(longitude);
            y += libm::cos(latitude) * libm::sin(longitude);
            z += libm::sin(latitude);
        }
        let longitude = degrees(libm::atan2(y, x));
        let latitude = degrees(libm::atan2(z, libm::sqrt(x * x + y * y)));
        Area { center: Point { longitude, latitude }, shape: Shape::Polygon(corners), unit: 1.0 }
    }

    /// How far from the center a place is, in metres, if it is in the area.
    pub fn distance_within(&self, place: Point) -> Option<f64> {
        let is_within = match &self.shape {
            Shape::Circle { radius } => {
                let distance = self.center.distance(place);
                return (distance <= radius * self.unit).then_some(distance);
            }
            Shape::Rectangle { width, height } => {
                let level = Point { latitude: place.latitude, ..self.center };
                latitude_distance(place.latitude, self.center.latitude) <= height * self.unit / 2.0
                    && place.distance(level) <= width * self.unit / 2.0
            }
            Shape::Polygon(corners) => is_in_polygon(corners, place),
        };
        is_within.then(|| self.center.distance(place))
    }

    /// The scores of the cells in which places of the area lie: its own, then those to the north, south, east and west,
    /// then those at the corners.
    pub fn scores(&self) -> impl Iterator<Item = Range<u64>> {
        let mut last = None;
        self.cells().into_iter().enumerate().filter_map(move |(i, cell)| {
            let cell = cell?;
            // Where cells are so large that opposite neighbours are one, it is searched once.
            if last == Some(cell) {
                return None;
            }
            last = (i > 0).then_some(cell);
            let unused = 2 * (STEP_MAX - cell.step);
            Some(cell.bits << unused..(cell.bits + 1) << unused)
        })
    }

    fn cells(&self) -> [Option<Cell>; 9] {
        let (longitudes, latitudes) = self.bounds();
        let mut cell = Cell::around(self.center, self.step(), LATITUDES);
        if cell.step > 1 && !cell.neighbours_reach(longitudes, latitudes) {
            cell = Cell::around(self.center, cell.step - 1, LATITUDES);
        }
        let (own_longitudes, own_latitudes) = cell.bounds();
        let is_all = cell.step < 2;
        let north = is_all || own_latitudes.max <= latitudes.max;
        let south = is_all || own_latitudes.min >= latitudes.min;
        let east = is_all || own_longitudes.max <= longitudes.max;
        let west = is_all || own_longitudes.min >= longitudes.min;
        [
            (0, 0, true),
            (0, 1, north),
            (0, -1, south),
            (1, 0, east),
            (-1, 0, west),
            (1, 1, north && east),
            (-1, 1, north && west),
            (1, -1, south && east),
            (-1, -1, south && west),
        ]
        .map(|(east, north, is_searched)| is_searched.then(|| cell.neighbour(east, north)))
    }

    /// The longitudes and latitudes it reaches from and to, as Redis estimates them.
    fn bounds(&self) -> (Degrees, Degrees) {
        let (width, height) = match &self.shape {
            Shape::Circle { radius } => (self.unit * radius, self.unit * radius),
            Shape::Rectangle { width, height } => (self.unit * (width / 2.0), self.unit * (height / 2.0)),
            Shape::Polygon(corners) => {
                let all = |of: fn(&Point) -> f64| Degrees::of(corners.iter().map(of));
                return (all(|corner| corner.longitude), all(|corner| corner.latitude));
            }
        };
        let Point { longitude, latitude } = self.center;
        let up = degrees(height / EARTH_RADIUS);
        // Meridians are nearer to each other towards the poles.
        let widest = if latitude < 0.0 { latitude - up } else { latitude + up };
        let aside = degrees(width / EARTH_RADIUS / libm::cos(radians(widest)));
        (
            Degrees { min: longitude - aside, max: longitude + aside },
            Degrees { min: latitude - up, max: latitude + up },
        )
    }

    /// The step at which a cell and its neighbours most likely cover the area.
    fn step(&self) -> u32 {
        let mut reach = self.unit
            * match &self.shape {
                Shape::Circle { radius } => *radius,
                Shape::Rectangle { width, height } => {
                    libm::sqrt((width / 2.0) * (width / 2.0) + (height / 2.0) * (height / 2.0))
                }
                Shape::Polygon(_) => self.farthest_corner(),
            };
        if reach == 0.0 {
            return STEP_MAX;
        }
        let mut step = 1i32;
        while reach < MERCATOR_MAX {
            reach *= 2.0;
            step += 1;
        }
        step -= 2;
        let latitude = self.center.latitude.abs();
        step -= (latitude > 66.0) as i32 + (latitude > 80.0) as i32;
        step.clamp(1, STEP_MAX as i32) as u32
    }

    /// How far the farthest corner of the box around it is.
    fn farthest_corner(&self) -> f64 {
        let (longitudes, latitudes) = self.bounds();
        let corner = |longitude, latitude| self.center.distance(Point { longitude, latitude });
        let each = [longitudes.min, longitudes.max]
            .map(|longitude| corner(longitude, latitudes.min).max(corner(longitude, latitudes.max)));
        each[0].max(each[1])
    }
}

impl Degrees {
    fn of(all: impl Iterator<Item = f64>) -> Degrees {
        let none = Degrees { min: f64::INFINITY, max: f64::NEG_INFINITY };
        all.fold(none, |range, it| Degrees { min: range.min.min(it), max: range.max.max(it) })
    }

    fn has(self, degrees: f64) -> bool {
        (self.min..=self.max).contains(&degrees)
    }

    /// The part numbered `i` of `2^step`.
    fn part(self, i: u32, step: u32) -> Degrees {
        let parts = (1u64 << step) as f64;
        let at = |i: f64| self.min + i / parts * (self.max - self.min);
        Degrees { min: at(i as f64), max: at(i as f64 + 1.0) }
    }

    /// In which of `2^step` parts it is.
    fn number(self, degrees: f64, step: u32) -> u32 {
        ((degrees - self.min) / (self.max - self.min) * (1u64 << step) as f64) as u32
    }
}

impl Cell {
    /// The cell around a place, where latitudes are as given.
    fn around(place: Point, step: u32, latitudes: Degrees) -> Cell {
        let longitude = LONGITUDES.number(place.longitude, step);
        let latitude = latitudes.number(place.latitude, step);
        Cell { bits: spread(latitude) | spread(longitude) << 1, step }
    }

    fn bounds(self) -> (Degrees, Degrees) {
        let Cell { bits, step } = self;
        (LONGITUDES.part(gather(bits >> 1), step), LATITUDES.part(gather(bits), step))
    }

    /// The cell so many to the east and to the north. East of the last is the first, and north of it likewise. A place on
    /// the very edge of the map is in a cell beyond the last, and as in Redis only moving along that edge stays there.
    fn neighbour(self, east: i32, north: i32) -> Cell {
        let moved = |at: u32, by: i32| match by {
            0 => at,
            _ => at.wrapping_add_signed(by) & ((1 << self.step) - 1),
        };
        let (longitude, latitude) = (gather(self.bits >> 1), gather(self.bits));
        Cell { bits: spread(moved(latitude, north)) | spread(moved(longitude, east)) << 1, step: self.step }
    }

    /// Whether the cells around reach up to these bounds on every side.
    fn neighbours_reach(self, longitudes: Degrees, latitudes: Degrees) -> bool {
        let bounds = |east, north| self.neighbour(east, north).bounds();
        let short = bounds(0, 1).1.max < latitudes.max
            || bounds(0, -1).1.min > latitudes.min
            || bounds(1, 0).0.max < longitudes.max
            || bounds(-1, 0).0.min > longitudes.min;
        !short
    }
}

/// The bits that a score means, also when it is none of a place: as x86 makes a 64-bit number of a double.
fn bits_of(score: f64) -> u64 {
    const TOO_MANY: f64 = 18446744073709551616.0;
    if score < TOO_MANY / 2.0 {
        score as i64 as u64
    } else if score < TOO_MANY {
        score as u64
    } else {
        0
    }
}

/// The bits with a zero before each.
fn spread(bits: u32) -> u64 {
    let mut bits = bits as u64;
    for (shift, mask) in [
        (16, 0x0000_ffff_0000_ffff),
        (8, 0x00ff_00ff_00ff_00ff),
        (4, 0x0f0f_0f0f_0f0f_0f0f),
        (2, 0x3333_3333_3333_3333),
        (1, EVEN_BITS),
    ] {
        bits = (bits | bits << shift) & mask;
    }
    bits
}

/// Every second bit from the lowest on.
fn gather(bits: u64) -> u32 {
    let mut bits = bits & EVEN_BITS;
    for (shift, mask) in [
        (1, 0x3333_3333_3333_3333),
        (2, 0x0f0f_0f0f_0f0f_0f0f),
        (4, 0x00ff_00ff_00ff_00ff),
        (8, 0x0000_ffff_0000_ffff),
        (16, 0x0000_0000_ffff_ffff),
    ] {
        bits = (bits | bits >> shift) & mask;
    }
    bits as u32
}

/// Whether a line from the place to the east crosses an odd number of edges.
fn is_in_polygon(corners: &[Point], place: Point) -> bool {
    let previous = corners.iter().cycle().skip(corners.len().wrapping_sub(1));
    let crosses = |(a, b): (&Point, &Point)| {
        (a.latitude > place.latitude) != (b.latitude > place.latitude)
            && place.longitude
                < (b.longitude - a.longitude) * (place.latitude - a.latitude) / (b.latitude - a.latitude)
                    + a.longitude
    };
    corners.iter().zip(previous).filter(|edge| crosses(*edge)).count() % 2 == 1
}

fn latitude_distance(a: f64, b: f64) -> f64 {
    EARTH_RADIUS * (radians(a) - radians(b)).abs()
}

fn radians(degrees: f64) -> f64 {
    degrees * (PI / 180.0)
}

fn degrees(radians: f64) -> f64 {
    radians / (PI / 180.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(longitude: f64, latitude: f64) -> Point {
        Point::new(longitude, latitude).unwrap()
    }

    #[test]
    fn scores_are_those_of_redis() {
        for (longitude, latitude, score) in [
            (13.361389, 38.115556, 3479099956230698),
            (15.087269, 37.502669, 3479447370796909),
            (-180.0, -85.05112878, 0),
            (0.0, 0.0, 3 << 50),
        ] {
            assert_eq!(at(longitude, latitude).score(), score);
        }
        assert!(Point::new(180.1, 0.0).is_none());
        assert!(Point::new(0.0, 85.06).is_none());
        assert!(Point::new(f64::NAN, 0.0).is_none());
    }

    #[test]
    fn a_score_means_a_place_within_half_a_metre() {
        for i in 0..1000 {
            let place =
                at((i * 7919 % 36000) as f64 / 100.0 - 180.0, (i * 104729 % 17000) as f64 / 100.0 - 85.0);
            let again = Point::of_score(place.score() as f64);
            assert!(place.distance(again) < 0.5, "{place:?} {again:?}");
            assert_eq!(again.score(), place.score());
        }
    }

    #[test]
    fn any_number_means_a_place() {
        for score in [-1.0, f64::MIN, f64::MAX, f64::INFINITY, f64::NEG_INFINITY, 1e19, 1.8e19, -0.5, 2e16] {
            let place = Point::of_score(score);
            assert!(Point::new(place.longitude, place.latitude).is_some(), "{score}");
        }
    }

    #[test]
    fn bits_are_spread_and_gathered() {
        for bits in [0, 1, 2, 3, 0xffff_ffff, 0x1234_5678, 1 << 26] {
            assert_eq!(gather(spread(bits)), bits);
            assert_eq!(gather(spread(bits) << 1), 0);
        }
        assert_eq!(spread(0b1011), 0b100_0101);
    }

    #[test]
    fn cells_of_an_area_hold_every_place_in_it() {
        for i in 0..200 {
            let center = at((i * 37 % 340) as f64 - 170.0, (i * 53 % 120) as f64 - 60.0);
            let radius = [10.0, 1000.0, 50_000.0, 500_000.0][i % 4];
            let area = Area { center, shape: Shape::Circle { radius }, unit: 1.0 };
            let scores: Vec<_> = area.scores().collect();
            for turn in 0..36 {
                let (sin, cos) = libm::sincos(turn as f64 * PI / 18.0);
                let away = degrees(radius * 0.99 / EARTH_RADIUS);
                let longitude = center.longitude + away * sin / libm::cos(radians(center.latitude));
                let Some(place) = Point::new(longitude, center.latitude + away * cos) else { continue };
                let is_found = scores.iter().any(|range| range.contains(&place.score()));
                assert!(is_found || area.distance_within(place).is_none(), "{center:?} {radius} {place:?}");
            }
        }
    }

    #[test]
    fn a_polygon_holds_what_is_between_its_edges() {
        let corners = [(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (2.0, 1.0), (0.0, 4.0)];
        let area = Area::of_polygon(corners.map(|(x, y)| at(x, y)).to_vec());
        for (x, y, is_within) in [(1.0, 1.0, true), (3.9, 3.0, true), (2.0, 3.0, false), (5.0, 1.0, false)] {
            assert_eq!(area.distance_within(at(x, y)).is_some(), is_within, "{x} {y}");
            let is_searched = area.scores().any(|range| range.contains(&at(x, y).score()));
            assert!(is_searched || !is_within);
        }
    }
}
