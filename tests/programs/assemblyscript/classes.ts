// SPDX-License-Identifier: Apache-2.0
// memory: 65536

abstract class Shape {
  abstract area(): f64;
  describe(): string {
    return "area " + this.area().toString();
  }
}
class Square extends Shape {
  constructor(public side: f64) {
    super();
  }
  area(): f64 {
    return this.side * this.side;
  }
}
class Circle extends Shape {
  constructor(public radius: f64) {
    super();
  }
  area(): f64 {
    return Math.PI * this.radius * this.radius;
  }
  describe(): string {
    return "circle: " + super.describe();
  }
}
function largest<T>(values: T[]): T {
  let most = values[0];
  for (let i = 1; i < values.length; i++) if (values[i] > most) most = values[i];
  return most;
}

export function _start(): void {
  const shapes: Shape[] = [new Square(1.5), new Circle(2)];
  for (let i = 0; i < shapes.length; i++) console.log(shapes[i].describe());
  trace("largest", 2, largest<f64>([1.5, 9.25, 3]), largest<i32>([3, 1, 2]));
  // Garbage: more than a small memory holds at once.
  let kept = 0;
  for (let i = 0; i < 2000; i++) kept += new Square(i).side > 1000 ? 1 : 0;
  trace("kept", 1, kept);
}
