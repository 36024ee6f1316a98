// SPDX-License-Identifier: Apache-2.0
// What is connected to the pins of the chip, by the name of the firmware that needs it. Each function connects its parts and
// returns one that tells what they saw. Times are those of the chip, so that they are the same in every run.

const MS = 1e6;
const BIT = 1e9 / 115200;

/** Calls a function after so many nanoseconds of the chip's time. */
function after(chip, nanos, work) {
  chip.clock.createAlarm(work).schedule(nanos);
}

/** Calls a function again and again. */
function every(chip, nanos, work) {
  const alarm = chip.clock.createAlarm(() => {
    alarm.schedule(nanos);
    work();
  });
  alarm.schedule(nanos);
}

/**
 * Connects a 24C02 with 8 bytes a page to a bus. Each byte takes nine clocks of the bus. After a write, the part answers nothing
 * for 5 ms. No other address of the bus answers.
 */
function eeprom(chip, bus, own) {
  const memory = new Uint8Array(256).fill(0xff);
  const seen = { addresses: new Set(), unanswered: 0 };
  let pointer = 0, first = true, changed = false, busyUntil = 0;
  const bytes = (work) => {
    const clock = (bus.sclLowPeriod + bus.sclHighPeriod) * 1e9 / chip.mcu.clkSys;
    after(chip, 9 * clock, work);
  };
  bus.onConnect = (address) => bytes(() => {
    const answers = address === own && chip.clock.nanos >= busyUntil;
    seen.addresses.add(address);
    seen.unanswered += answers ? 0 : 1;
    first = true;
    bus.completeConnect(answers);
  });
  bus.onWriteByte = (byte) => bytes(() => {
    if (first) pointer = byte;
    else {
      memory[pointer] = byte;
      changed = true;
      pointer = pointer & ~7 | (pointer + 1) & 7;
    }
    first = false;
    bus.completeWrite(true);
  });
  bus.onReadByte = () => bytes(() => {
    const byte = memory[pointer];
    pointer = (pointer + 1) & 0xff;
    bus.completeRead(byte);
  });
  bus.onStop = () => {
    if (changed) busyUntil = chip.clock.nanos + 5 * MS;
    changed = false;
    bus.completeStop();
  };
  return () => ({ addresses: [...seen.addresses], unanswered: seen.unanswered, bytes: [...memory.subarray(0x10, 0x18)] });
}

/** Connects a peer to a serial port: `hear` gets each line, and what it calls `say` with is sent at 115200 baud. */
function peer(chip, port, hear) {
  let line = '', sent = 0;
  const say = (text) => {
    for (const byte of Buffer.from(text)) {
      sent = Math.max(sent, chip.clock.nanos) + 10 * BIT;
      after(chip, sent - chip.clock.nanos, () => port.feedByte(byte));
    }
  };
  port.onByte = (byte) => {
    line += String.fromCharCode(byte);
    if (byte !== 0x0a) return;
    const whole = line.trim();
    line = '';
    hear(whole, say);
  };
  return say;
}

/** Registers of an output of the PWM: bits of the slice's control register, divider in sixteenths, counts of a period and of a pulse. */
function pwm({ mcu }, output) {
  const slice = mcu.pwm.channels[output >> 1];
  return { csr: slice.csr, div: slice.div, period: slice.top + 1, pulse: slice.cc >>> (output & 1 ? 16 : 0) & 0xffff };
}

/** Measures a pin: the last time from one rising edge to the next, and how long it was high, in nanoseconds. */
function measure({ mcu, clock }, pin) {
  let rose, period = 0, high = 0;
  mcu.gpio[pin].addListener((state) => {
    if (state === 1) {
      if (rose !== undefined) period = clock.nanos - rose;
      rose = clock.nanos;
    } else if (rose !== undefined) high = clock.nanos - rose;
  });
  return () => ({ period, high });
}

/** A room with a TMP36 at pin 26, a heater at pin 25, and a button at pin 15 that somebody presses after three seconds. */
export function thermostat(chip) {
  const { adc, gpio } = chip.mcu;
  let temperature = 17.5;
  const sense = () => { adc.channelValues[0] = Math.round((0.5 + temperature / 100) / 3.3 * 4096); };
  const button = (released) => gpio[15].setInputValue(released);
  const pin = measure(chip, 25);
  button(true);
  sense();
  every(chip, 10 * MS, () => {
    const { period, pulse } = pwm(chip, 9);
    // Full power raises the temperature by two degrees a second.
    temperature += 0.02 * pulse / period - (temperature - 10) / 2000;
    sense();
  });
  after(chip, 3000 * MS, () => button(false));
  after(chip, 3100 * MS, () => button(true));
  return () => ({ temperature, pwm: pwm(chip, 9), pin: pin() });
}

/** An EEPROM at pins 4 and 5, and at pins 8 and 9 somebody who asks for its bytes. */
export function uart_bridge(chip) {
  const part = eeprom(chip, chip.mcu.i2c[0], 0x57);
  const questions = ['w 10 48 65 6c 6c 6f', 'r 10 5', 'r 10 5', 'r 10'];
  const heard = [];
  let asked = 0;
  const say = peer(chip, chip.mcu.uart[1], (line) => {
    heard.push(line);
    // The first answer is to a write, and the next question comes while the EEPROM is still busy with it.
    if (asked < questions.length) after(chip, (asked === 1 ? 1 : 10) * MS, ask);
  });
  const ask = () => say(questions[asked++] + '\n');
  after(chip, 50 * MS, ask);
  return () => ({ heard, eeprom: part(), baud: chip.mcu.uart[1].baudRate });
}

/**
 * For tests/rp2040/peripherals: an EEPROM at pins 4 and 5, a wire from pin 2 to pin 3, a wire from the output to the input of
 * SPI0, voltages at pins 26 to 29, and a peer at pins 8 and 9 that says backwards what it hears.
 */
export function peripherals(chip) {
  const { adc, gpio, i2c, spi, uart } = chip.mcu;
  const part = eeprom(chip, i2c[0], 0x57);
  const seen = { selected: 0, transferred: 0, unselected: 0, clocks: new Set(), modes: new Set(), ticks: [] };
  gpio[2].addListener((state) => gpio[3].setInputValue(state === 1));
  gpio[20].addListener((state) => { seen.selected += state === 0 ? 1 : 0; });
  gpio[7].addListener(() => seen.ticks.push(Math.round(chip.clock.nanos / 1000)));
  spi[0].onTransmit = (value) => {
    seen.clocks.add(Math.round(spi[0].clockFrequency));
    seen.modes.add(spi[0].control0 >> 6 & 3);
    seen[gpio[20].value === 0 ? 'transferred' : 'unselected']++;
    after(chip, spi[0].dataBits * 1e9 / spi[0].clockFrequency, () => spi[0].completeTransmit(value));
  };
  adc.channelValues.splice(0, 4, 0, 1000, 2048, 4095);
  peer(chip, uart[1], (line, say) => say([...line].reverse().join('') + '\n'));
  const pin = measure(chip, 25);
  return () => ({ ...seen, clocks: [...seen.clocks], modes: [...seen.modes], eeprom: part(), pwm: pwm(chip, 9), pin: pin(),
    baud: uart[1].baudRate });
}
