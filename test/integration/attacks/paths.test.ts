// research rows PN over plain http.
import { plain } from '../../env/transport.ts';
import { useHarness } from './harness.ts';
import { gatewayDoor } from './rows/door.ts';
import { oldRequestRows, pathRows } from './rows/paths.ts';

const harness = useHarness();
const door = () => gatewayDoor(harness);

pathRows(door, plain);
oldRequestRows(door, plain);
