// A group of more members than one statement takes. test/endurance has it with 10,000.
import { largeGroupCase } from './large-group.fixture.ts';

largeGroupCase(1200);
