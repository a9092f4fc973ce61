// research rows PN over plain http.
import { plain } from '../../env/transport.ts';
import { harness } from './one-gateway.ts';
import { gatewayDoor } from './rows/door.ts';
import { oldRequestRows, pathRows } from './rows/paths.ts';

const door = () => gatewayDoor(harness);

pathRows(door, plain);
oldRequestRows(door, plain);
